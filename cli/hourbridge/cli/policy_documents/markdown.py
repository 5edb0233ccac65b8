"""Tables and lists in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hourbridge.common.book import Effective, LedgerReference


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], none: str) -> list[str]:
    """Return a table; without rows the sentence that says so."""
    found = [[_cell(value) for value in row] for row in rows]
    if not found:
        return [none, ""]
    lines = [f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in found), ""]


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


def named(reference: LedgerReference | None) -> str:
    """Return what a thing of the ledger is called, with its id if the mapping names one."""
    if reference is None:
        return ""
    if reference.name is None:
        return f"id {reference.id}"
    return reference.name if reference.id is None else f"{reference.name} (id {reference.id})"


def holds(rule: Effective) -> str:
    """Return when a rule holds."""
    if rule.effective_from is None and rule.effective_to is None:
        return "always"
    begins = f"from {rule.effective_from}" if rule.effective_from else ""
    ends = f"through {rule.effective_to}" if rule.effective_to else ""
    return " ".join(part for part in (begins, ends) if part)


def minutes(seconds: int) -> str:
    """Return a duration in minutes, or in seconds where there are odd ones."""
    whole, rest = divmod(seconds, 60)
    return f"{seconds} s" if rest else f"{whole} min"
