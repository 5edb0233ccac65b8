"""Documents whose charges changed: an append-only list, so that handlers never wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

_ADD = statement(
    """
    INSERT INTO correction_request (document_id, available_at)
    SELECT document_id, :now FROM unnest(CAST(:documents AS text[])) AS document_id
    """
)
_DUE = statement(
    "SELECT document_id FROM correction_request WHERE available_at <= :now "
    "GROUP BY document_id ORDER BY min(id) LIMIT :documents_max"
)
_NEWEST = statement("SELECT max(id) FROM correction_request WHERE document_id = :document_id")
_SETTLE = statement(
    "DELETE FROM correction_request WHERE document_id = :document_id AND id <= :newest"
)
_POSTPONE = statement(
    "UPDATE correction_request SET available_at = :until WHERE document_id = :document_id"
)
_WAITING = statement(
    "SELECT count(DISTINCT r.document_id) FROM correction_request r "
    "JOIN document d ON d.document_id = r.document_id "
    "WHERE CAST(:book AS text) IS NULL OR d.book = :book"
)


def request(connection: Connection, documents: Sequence[str], now: datetime) -> None:
    """Ask for a look at ``documents``."""
    if documents:
        connection.execute(_ADD, {"documents": list(documents), "now": now})


def due(connection: Connection, now: datetime, *, documents_max: int) -> list[str]:
    """Return documents to look at, the longest waiting first."""
    parameters = {"now": now, "documents_max": documents_max}
    return list(connection.execute(_DUE, parameters).scalars())


def newest(connection: Connection, document_id: str) -> int:
    """Return the newest request of a document; later ones are not settled by this look."""
    return connection.execute(_NEWEST, {"document_id": document_id}).scalar() or 0


def settle(connection: Connection, document_id: str, newest_id: int) -> None:
    """Drop the requests that a look has dealt with."""
    connection.execute(_SETTLE, {"document_id": document_id, "newest": newest_id})


def postpone(connection: Connection, document_id: str, until: datetime) -> None:
    """Look again later: the ledger has not answered yet."""
    connection.execute(_POSTPONE, {"document_id": document_id, "until": until})


def waiting(connection: Connection, book: str | None = None) -> int:
    """Return how many documents, of a book or of all, wait for a look."""
    return int(connection.execute(_WAITING, {"book": book}).scalar_one())
