"""Whether everything that the other services have said has arrived here."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from hourbridge.reconciler.sequence import Stream, progress

_DOCUMENTS = text(
    "SELECT status, count(*) AS documents FROM seen_document WHERE book = :book GROUP BY 1"
)


def not_arrived(
    connection: Connection, book: str, sequence: int | None, documents: Mapping[str, int] | None
) -> str | None:
    """Return what is still on its way, None when nothing is.

    ``sequence`` is the ingestor's last number, ``documents`` the poster's counts by status.
    """
    if sequence is not None:
        covered = progress(connection, book)[Stream.COVERED].contiguous
        if covered < sequence:
            return f"records up to {sequence} were accepted, known here up to {covered}"
    if documents is not None:
        rows = connection.execute(_DOCUMENTS, {"book": book})
        known = {row.status: row.documents for row in rows}
        if known != {status: count for status, count in documents.items() if count}:
            return f"the poster has {dict(documents)} documents, known here are {known}"
    return None
