"""Statements of the query language, and paging over their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hourbridge.connectors.quickbooks_online.transport import Transport

PAGE_ROWS = 1000
PAGE_OVERLAP_ROWS = 20
"""Rows read again on the next page: deletions meanwhile move rows forward, past a page's end."""

Row = dict[str, Any]
WITH_INACTIVE = "Active IN (true, false)"
"""Lists give only active rows unless asked like this."""


def quoted(value: str) -> str:
    """Return a text as a literal of the query language."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def equals(name: str, value: str) -> str:
    """Return the condition that a property equals a text (case-insensitive in the service)."""
    return f"{name} = {quoted(value)}"


def select(
    transport: Transport, entity: str, conditions: Sequence[str], *, rows_max: int = PAGE_ROWS
) -> list[Row]:
    """Return at most ``rows_max`` (up to 1000) matching rows."""
    return _page(transport, entity, conditions, 1, rows_max)


def select_all(
    transport: Transport, entity: str, conditions: Sequence[str] = (), *, page: int = PAGE_ROWS
) -> Iterator[Row]:
    """Yield every matching row once, page by page in the order of ids."""
    seen: set[str] = set()
    overlap = min(PAGE_OVERLAP_ROWS, page // 2)
    start = 1
    while True:
        rows = _page(transport, entity, conditions, start, page)
        for row in rows:
            if row["Id"] not in seen:
                seen.add(row["Id"])
                yield row
        if len(rows) < page:
            return
        start += page - overlap


def _page(
    transport: Transport, entity: str, conditions: Sequence[str], start: int, rows: int
) -> list[Row]:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = f"SELECT * FROM {entity}{where} ORDERBY Id STARTPOSITION {start} MAXRESULTS {rows}"
    found = transport.query(statement).get(entity, [])
    return list(found)
