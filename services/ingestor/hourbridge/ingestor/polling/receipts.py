"""Receipts: files at the source, fetched once each and kept before their record is accepted.

A receipt that can't be had now doesn't hold up its record: it is noted as missing and asked for
again at the feed's next readings; once it is there, the record is amended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.errors import SourceAuthorizationExpired, SourceError, SourceThrottled
from hourbridge.common.ids import content_hash
from hourbridge.common.messages.records import Attachment, Record, RecordType
from hourbridge.common.store import objects
from hourbridge.common.store.rows import bulk, statement
from hourbridge.connectors.source import Source
from hourbridge.ingestor import aliases, records
from hourbridge.ingestor.polling import metrics
from hourbridge.ingestor.polling.amending import amend
from hourbridge.ingestor.polling.turns import Turn
from hourbridge.ingestor.records import Revision

RETRIES_MAX = 20
"""How many missing receipts one reading asks for again; the longest waiting first."""
_FIELDS = ("receipts", "attachments")
_MAGIC = ((b"%PDF", "application/pdf"), (b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
_OTHER = "application/octet-stream"

_KNOWN = statement(
    "SELECT * FROM attachment_file WHERE book = :book AND source = :source "
    "AND attachment_id = ANY(:ids)"
)
_MISSING = statement(
    "SELECT * FROM attachment_file WHERE (book, source, feed) = (:book, :source, :feed) "
    "AND raw_ref IS NULL ORDER BY tried_at, attachment_id LIMIT :limit"
)
_NOTE = statement(
    """
    INSERT INTO attachment_file
        (book, source, attachment_id, feed, record_type, external_id, attachment, raw_ref,
         attempts, last_error, tried_at)
    SELECT :book, :source, attachment_id, :feed, record_type, external_id, attachment, raw_ref,
           1, last_error, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        attachment_id text, record_type text, external_id text, attachment jsonb, raw_ref text,
        last_error text)
    ON CONFLICT (book, source, attachment_id) DO UPDATE SET
        record_type = excluded.record_type, external_id = excluded.external_id,
        attachment = excluded.attachment, raw_ref = excluded.raw_ref,
        attempts = attachment_file.attempts + 1, last_error = excluded.last_error,
        tried_at = excluded.tried_at
    """
)


@dataclass(frozen=True)
class Owner:
    """The record that names a receipt."""

    record_type: RecordType
    external_id: str


@dataclass(frozen=True)
class Attempt:
    """A receipt that was asked for; without content it is missing."""

    attachment: Attachment
    owner: Owner
    content: bytes | None = None
    error: str | None = None
    was_missing: bool = False


@dataclass
class Files:
    """The receipts of one page: those kept before, and those asked for now."""

    known: dict[str, Attachment] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def fill(self, record: Record) -> Record:
        """Return a record whose receipts say where they are kept, as far as they are."""
        changes = {}
        for name in _FIELDS:
            stated: tuple[Attachment, ...] = getattr(record, name, ())
            filled = tuple(self._filled(attachment) for attachment in stated)
            if filled != stated:
                changes[name] = filled
        return record.model_copy(update=changes) if changes else record

    def _filled(self, attachment: Attachment) -> Attachment:
        kept = None if attachment.raw_ref else self.known.get(attachment.id)
        if kept is None:
            return attachment
        names = ("raw_ref", "sha256", "size_bytes", "content_type")
        update = {name: getattr(attachment, name) or getattr(kept, name) for name in names}
        return attachment.model_copy(update=update)


def needed(stated: Iterable[Record]) -> dict[str, tuple[Attachment, Owner]]:
    """Return the receipts that records name and that are kept nowhere yet, by their id."""
    found = {}
    for record in stated:
        if record.deleted is not None:
            continue
        owner = Owner(record.record_type, record.external_id)
        for attachment in _attachments(record):
            if not attachment.raw_ref:
                found[attachment.id] = (attachment, owner)
    return found


def known(
    connection: Connection, turn: Turn, wanted: Collection[str]
) -> Mapping[str, Mapping[str, Any]]:
    """Return what is noted about receipts."""
    values = {"book": turn.book, "source": turn.source, "ids": sorted(wanted)}
    return {
        row["attachment_id"]: dict(row) for row in connection.execute(_KNOWN, values).mappings()
    }


def missing(connection: Connection, turn: Turn) -> dict[str, tuple[Attachment, Owner]]:
    """Return receipts of a feed that couldn't be had, to ask for them again."""
    values = {**turn.names, "limit": RETRIES_MAX}
    return {
        row["attachment_id"]: (
            Attachment.model_validate(row["attachment"]),
            Owner(RecordType(row["record_type"]), row["external_id"]),
        )
        for row in connection.execute(_MISSING, values).mappings()
    }


def fetch(
    source: Source,
    wanted: Mapping[str, tuple[Attachment, Owner]],
    noted: Mapping[str, Mapping[str, Any]],
    started: datetime,
) -> Files:
    """Ask the source for what isn't kept, each once per reading; no transaction is open.

    Raises SourceAuthorizationExpired; every other failure makes a receipt missing.
    """
    files = Files()
    throttled: str | None = None
    for attachment_id in sorted(wanted):
        attachment, owner = wanted[attachment_id]
        row = noted.get(attachment_id)
        if row is not None and _is_kept(row, attachment):
            files.known[attachment_id] = Attachment.model_validate(row["attachment"])
            continue
        if row is not None and row["raw_ref"] is None and row["tried_at"] >= started:
            continue
        was_missing = row is not None and row["raw_ref"] is None
        attempt = _ask(source, attachment, owner, throttled, was_missing)
        throttled = throttled or (attempt.error if attempt.error == SourceThrottled.code else None)
        files.attempts.append(attempt)
        if attempt.content is not None:
            files.known[attachment_id] = _completed(attachment, attempt.content)
    return files


def keep(
    connection: Connection, turn: Turn, files: Files, now: datetime, correlation_id: str | None
) -> list[Revision]:
    """Store what was fetched and note what wasn't; return records amended by a late receipt."""
    attempts = sorted(files.attempts, key=lambda each: content_hash(each.content or b""))
    for attempt in attempts:
        if attempt.content is not None:
            kept = files.known[attempt.attachment.id]
            objects.put(connection, attempt.content, kept.content_type or _OTHER)
        metrics.RECEIPTS.labels("missing" if attempt.content is None else "kept").inc()
    if attempts:
        rows = [_row(attempt, files) for attempt in attempts]
        rows.sort(key=lambda row: str(row["attachment_id"]))
        bulk(connection, _NOTE, rows, **turn.names, now=now)
    late = [each for each in attempts if each.was_missing and each.content is not None]
    return list(_amended(connection, turn, files, late, now, correlation_id))


def _amended(
    connection: Connection,
    turn: Turn,
    files: Files,
    late: Collection[Attempt],
    now: datetime,
    correlation_id: str | None,
) -> Iterator[Revision]:
    if not late:
        return
    records.lock_books(connection, [turn.book])
    names = sorted(
        {(turn.book, turn.source, each.owner.record_type, each.owner.external_id) for each in late}
    )
    found = aliases.resolve(connection, [aliases.Named(name) for name in names]).record_ids
    for record_id, present in sorted(records.present(connection, found).items()):
        revision = amend(connection, record_id, files.fill(present.state), now, correlation_id)
        if revision is not None:
            yield revision


def _ask(
    source: Source, attachment: Attachment, owner: Owner, throttled: str | None, was_missing: bool
) -> Attempt:
    if throttled:
        return Attempt(attachment, owner, error=throttled, was_missing=was_missing)
    try:
        content = source.file(attachment)
    except SourceAuthorizationExpired:
        raise
    except SourceThrottled as error:
        return Attempt(attachment, owner, error=error.code, was_missing=was_missing)
    except SourceError as error:
        return Attempt(attachment, owner, error=str(error), was_missing=was_missing)
    return Attempt(attachment, owner, content=content, was_missing=was_missing)


def _attachments(record: Record) -> Iterator[Attachment]:
    for name in _FIELDS:
        yield from getattr(record, name, ())


def _is_kept(row: Mapping[str, Any], attachment: Attachment) -> bool:
    """Return whether the file that is kept is the one named: sources may replace a file."""
    if row["raw_ref"] is None:
        return False
    return attachment.sha256 is None or row["raw_ref"] == f"sha256:{attachment.sha256}"


def _completed(attachment: Attachment, content: bytes) -> Attachment:
    digest = content_hash(content)
    sniffed = next((kind for magic, kind in _MAGIC if content.startswith(magic)), None)
    return attachment.model_copy(
        update={
            "raw_ref": f"sha256:{digest}",
            "sha256": digest,
            "size_bytes": len(content),
            "content_type": attachment.content_type or sniffed,
        }
    )


def _row(attempt: Attempt, files: Files) -> dict[str, Any]:
    kept = files.known.get(attempt.attachment.id) if attempt.content is not None else None
    return {
        "attachment_id": attempt.attachment.id,
        "record_type": attempt.owner.record_type,
        "external_id": attempt.owner.external_id,
        "attachment": (kept or attempt.attachment).model_dump(mode="json"),
        "raw_ref": kept.raw_ref if kept else None,
        "last_error": attempt.error,
    }
