"""What an audit finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hourbridge.matching.entry import LEDGER, Entry

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Errors keep documents from being posted, or post them wrongly; warnings cost work later."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing to look at, with what to do about it."""

    code: str
    severity: Severity
    area: str
    """Which part of the report it belongs to."""
    subject: str
    detail: str
    advice: str


def in_order(findings: Iterable[AuditFinding]) -> list[AuditFinding]:
    """Return findings, each once: errors first, then by area and subject."""
    unique = dict.fromkeys(findings)
    return sorted(
        unique, key=lambda f: (SEVERITIES.index(f.severity), f.area, f.code, f.subject, f.detail)
    )


def where(entry: Entry) -> str:
    """Return on which side an entry is, for people."""
    return "the ledger" if entry.side == LEDGER else entry.side


def subject(entry: Entry) -> str:
    """Return an entry with its side, for people."""
    return f"{where(entry)}: {entry.words()}"
