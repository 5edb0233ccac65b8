"""What was measured against what was promised: a table, one JSON line, and whether all is kept."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Direction = Literal["at least", "at most", "below"]


@dataclass(frozen=True)
class Promise:
    """A number that the platform promises, and what it came to."""

    name: str
    value: float
    direction: Direction
    limit: float
    unit: str = ""

    @property
    def is_kept(self) -> bool:
        """Return whether the value stays on the right side of its limit."""
        if self.direction == "at least":
            return self.value >= self.limit
        return self.value <= self.limit if self.direction == "at most" else self.value < self.limit


@dataclass(frozen=True)
class Finding:
    """A number that is shown and not judged."""

    name: str
    value: float
    unit: str = ""


@dataclass
class Report:
    """Everything that a run found."""

    promises: list[Promise] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(
        self,
        *,
        promises: Sequence[Promise] = (),
        findings: Sequence[Finding] = (),
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Add the results of one measurement."""
        self.promises += promises
        self.findings += findings
        self.details.update(details or {})

    @property
    def is_kept(self) -> bool:
        """Return whether every promise that was measured is kept."""
        return all(promise.is_kept for promise in self.promises)

    def show(self, console: Console) -> None:
        """Print the tables for people."""
        shown = Table(title="measured", title_justify="left")
        for column in ("what", "value", "unit"):
            shown.add_column(column, justify="right" if column == "value" else "left")
        for finding in self.findings:
            shown.add_row(finding.name, _number(finding.value), finding.unit)
        judged = Table(title="promised", title_justify="left")
        for column in ("what", "value", "limit", "unit", "kept"):
            judged.add_column(column, justify="right" if column == "value" else "left")
        for promise in self.promises:
            kept = "[green]yes[/]" if promise.is_kept else "[red]NO[/]"
            limit = f"{promise.direction} {_number(promise.limit)}"
            judged.add_row(promise.name, _number(promise.value), limit, promise.unit, kept)
        console.print(shown, judged)

    def json_line(self) -> str:
        """Return everything as one line for machines."""
        return json.dumps(
            {
                "kept": self.is_kept,
                "promises": {
                    each.name: {"value": each.value, "limit": each.limit, "kept": each.is_kept}
                    for each in self.promises
                },
                "findings": {each.name: each.value for each in self.findings},
                "details": self.details,
                "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
            },
            default=str,
        )


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
