"""Many rows in one statement: parameters travel as one JSON array, statements stay constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
