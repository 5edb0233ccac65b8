"""Tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console()
errors = Console(stderr=True)


def print_json(content: Any) -> None:
    """Print machine-readable JSON, one document."""
    console.print_json(json.dumps(content, ensure_ascii=False))


def print_rows(title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows as a table with the named columns; say so when there are none."""
    if not rows:
        console.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(column)) for column in columns))
    console.print(table)


def print_facts(title: str, facts: Mapping[str, Any]) -> None:
    """Print name and value pairs; nested values as compact JSON."""
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("name", style="bold")
    table.add_column("value", overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), cell(value))
    console.print(table)


def cell(value: Any) -> str:
    """Return the text of one table cell."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
