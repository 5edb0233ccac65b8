"""What a reference on the command line means: a record, or a document or a line of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hourbridge.cli.client import AdminClient, ServiceRefused
from hourbridge.common.runtime.admin import NotFound, RequestInvalid

_ID = re.compile(r"^(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?::(?P<line>\d+))?$")
_NUMBER = re.compile(r"^(?P<number>[^:/]{1,21})(?::(?P<line>\d+))?$")
"""Ours look like HB-12; composed invoices keep the number that their tracker gave them."""


@dataclass(frozen=True)
class RecordFound:
    """A record of a source."""

    record_id: str


@dataclass(frozen=True)
class DocumentFound:
    """A document, or one line of it by its position."""

    document_id: str
    position: int | None = None


Found = RecordFound | DocumentFound


def find(client: AdminClient, book: str, reference: str) -> Found:
    """Return what ``reference`` names, or raise NotFound, or RequestInvalid when it is several.

    Takes a document number or id, with ``:3`` for its third line; the id of a record or a charge;
    the id that a source gave the record, with ``SOURCE/`` before it where several did.
    """
    searches: tuple[Callable[[AdminClient, str, str], Found | None], ...] = (
        _by_number,
        _by_id,
        _by_external_id,
    )
    for search in searches:
        found = search(client, book, reference)
        if found is not None:
            return found
    raise NotFound(
        "nothing of this book has this number or id",
        advice="Give a document number (HB-12, HB-12:3), an id, or a source's own id of a record.",
        book=book,
        reference=reference,
    )


def _by_number(client: AdminClient, book: str, reference: str) -> Found | None:
    match = _NUMBER.match(reference)
    if match is None:
        return None
    path = f"/v1/books/{book}/documents"
    rows = client.get("poster", path, number=match["number"])["documents"]
    if len(rows) > 1:
        raise _several([f"{row['document_id']} ({row['kind']})" for row in rows])
    return DocumentFound(rows[0]["document_id"], _position(match)) if rows else None


def _by_id(client: AdminClient, book: str, reference: str) -> Found | None:
    match = _ID.match(reference)
    if match is None:
        return None
    record = optional(client, "ingestor", f"/v1/records/{match['id']}")
    if record is not None and record["book"] == book:
        return RecordFound(match["id"])
    path = f"/v1/books/{book}/charges"
    charges = client.get("poster", path, charge_id=match["id"])["charges"]
    if charges:
        return RecordFound(charges[0]["record_id"])
    document = optional(client, "poster", f"/v1/documents/{match['id']}")
    return None if document is None else DocumentFound(match["id"], _position(match))


def _by_external_id(client: AdminClient, book: str, reference: str) -> Found | None:
    rows = _named(client, book, reference, None)
    source, slash, external_id = reference.partition("/")
    if not rows and slash and external_id:
        rows = _named(client, book, external_id, source)
    if len(rows) > 1:
        raise _several(
            [
                f"{row['record_id']} ({row['record_type']} {row['external_id']} of {row['source']})"
                for row in rows
            ]
        )
    return RecordFound(rows[0]["record_id"]) if rows else None


def _named(
    client: AdminClient, book: str, external_id: str, source: str | None
) -> list[dict[str, Any]]:
    path = f"/v1/books/{book}/records"
    answer = client.get("ingestor", path, external_id=external_id, source=source)
    rows: list[dict[str, Any]] = answer["records"]
    return rows


def _position(match: re.Match[str]) -> int | None:
    return int(match["line"]) if match["line"] else None


def _several(candidates: list[str]) -> RequestInvalid:
    return RequestInvalid("this names several things", advice=f"Name one: {'; '.join(candidates)}.")


def optional(client: AdminClient, service: str, path: str) -> Any:
    """Return the answer of a GET, None when the service knows no such thing."""
    try:
        return client.get(service, path)
    except ServiceRefused as error:
        if error.refusal in ("not_found", "http_404"):
            return None
        raise
