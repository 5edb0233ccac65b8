"""The append-only audit: who did what to which thing, with correlation ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, text

_INSERT = text(
    "INSERT INTO audit (actor, action, subject, book, correlation_id, detail) "
    "VALUES (:actor, :action, :subject, :book, :correlation_id, CAST(:detail AS jsonb))"
)


def write(
    connection: Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    book: str | None = None,
    correlation_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append one entry in the caller's transaction."""
    connection.execute(
        _INSERT,
        {
            "actor": actor,
            "action": action,
            "subject": subject,
            "book": book,
            "correlation_id": correlation_id,
            "detail": to_json(detail or {}).decode(),
        },
    )
