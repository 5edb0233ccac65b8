"""Many rows in one statement: parameters travel as one JSON array, statements stay constant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, CursorResult, TextClause, text


def statement(sql: str) -> TextClause:
    """Return a reusable text statement (SQLAlchemy caches its compilation)."""
    return text(sql)


def bulk(
    connection: Connection,
    sql: str | TextClause,
    rows: Sequence[Mapping[str, Any]],
    **parameters: Any,
) -> CursorResult[Any]:
    """Execute ``sql`` once for all ``rows``.

    The statement reads them with
    ``FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(name type, ...)``; Decimal, dates and
    instants travel as text and are cast by that column list. NUL characters, which PostgreSQL
    text can't hold, must have been refused before.
    """
    clause = text(sql) if isinstance(sql, str) else sql
    return connection.execute(clause, {"rows": to_json(rows).decode(), **parameters})


Write = tuple[TextClause, Sequence[Mapping[str, Any]] | str]
"""A statement for ``bulk`` and its rows; text is a JSON array of them, as by ``with_json``."""


def with_json(rows: Iterable[tuple[Mapping[str, Any], str]], name: str) -> str:
    """Return rows whose value ``name`` is JSON text already, for a column of type jsonb.

    It becomes part of the array as it is: neither side has to quote it and parse it once more.
    Empty when there are no rows.
    """
    parts = [f'{to_json(row).decode()[:-1]},"{name}":{value}}}' for row, value in rows]
    return f"[{','.join(parts)}]" if parts else ""


def write_all(connection: Connection, writes: Sequence[Write], **parameters: Any) -> None:
    """Execute several statements that return nothing, in order, in one round trip.

    Each reads its own ``:rows``; ``parameters`` are common to all. Those without rows are left
    out. What one statement writes the following ones see.
    """
    due = [(clause, rows) for clause, rows in writes if rows]
    if not due:
        return
    joined = _joined(tuple(clause for clause, _ in due))
    rows_of = {
        f"rows_{at}": rows if isinstance(rows, str) else to_json(rows).decode()
        for at, (_, rows) in enumerate(due)
    }
    connection.execute(joined, {**rows_of, **parameters})


@lru_cache(maxsize=256)
def _joined(clauses: tuple[TextClause, ...]) -> TextClause:
    parts = [clause.text.replace(":rows", f":rows_{at}") for at, clause in enumerate(clauses)]
    return text(";".join(parts))
