"""Stored records, read again to be mapped again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, text

from hourbridge.common.messages.events import ChargeSetChanged
from hourbridge.common.messages.records import Record, RecordType
from hourbridge.mapper import facts, records
from hourbridge.mapper.lists.resolution import links_of
from hourbridge.mapper.mapping import MappedRecord, map_accepted
from hourbridge.mapper.remembered import decided_folds
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.subject import NO_FACTS
from hourbridge.mapper.rules.work_time import Remembered

_FIELDS = "record_id, source, record_type, revision, sequence, accepted_at, state, charge_set"
_BEHIND = "book = :book AND record_id > :cursor AND mapping_version < :version"
_ORDER = "ORDER BY record_id LIMIT :limit FOR UPDATE"
_PARKED = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE {_BEHIND} AND outcome = 'parked' {_ORDER}"
)
_REST = text(f"SELECT {_FIELDS} FROM mapped_record WHERE {_BEHIND} AND outcome <> 'noted' {_ORDER}")
_DEPENDENT = "depends_on && CAST(:dependencies AS text[]) AND depends_on <> '{}' AND " + _BEHIND
_PARKED_DEPENDENT = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE {_DEPENDENT} AND outcome = 'parked' {_ORDER}"
)
_REST_DEPENDENT = text(f"SELECT {_FIELDS} FROM mapped_record WHERE {_DEPENDENT} {_ORDER}")
_ANY_DEPENDENT = text(
    "SELECT EXISTS (SELECT 1 FROM mapped_record WHERE book = :book "
    "AND depends_on && CAST(:dependencies AS text[]) AND depends_on <> '{}')"
)
_PAGE = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book AND record_id > :cursor "
    "AND outcome NOT IN ('parked', 'noted') ORDER BY record_id LIMIT :limit"
)
_PAGE_PARKED = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book AND record_id > :cursor "
    "AND outcome = 'parked' ORDER BY record_id LIMIT :limit"
)
_UNDER_OTHER_RULES = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book AND record_id > :cursor "
    "AND record_type = 'time_entry' AND outcome = 'charged' "
    'AND position(\'"tzdata":"\' IN charge_set) > 0 '
    "AND position(CAST(:made_now AS text) IN charge_set) = 0 ORDER BY record_id LIMIT :limit"
)
_OF_TIME = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book AND record_id > :cursor "
    "AND record_type = 'time_entry' AND work_date BETWEEN :first AND :last "
    "ORDER BY record_id LIMIT :limit"
)
_SOME = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book "
    "AND record_id = ANY(CAST(:record_ids AS text[])) AND outcome = 'charged' "
    "ORDER BY record_id FOR UPDATE"
)
_BOOK_OF_PARKED = text(
    "SELECT book FROM mapped_record WHERE record_id = :record_id AND outcome = 'parked'"
)
_ONE = text(f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book AND record_id = :record_id")
_ONE_PARKED = text(
    f"SELECT {_FIELDS} FROM mapped_record WHERE book = :book AND record_id = :record_id "
    "AND outcome = 'parked' FOR UPDATE"
)


@dataclass(frozen=True)
class Scope:
    """What a re-mapping still has to look at."""

    book: str
    version: int
    """Only records mapped under older versions."""
    kind: Literal["all", "facts"]
    dependencies: Sequence[str]
    """For facts: only records that asked for one of these."""
    phase: Literal["parked", "rest"]
    cursor: str
    """The last record_id seen in this phase."""


@dataclass(frozen=True)
class StoredState:
    """A record's newest accepted state."""

    record_id: str
    record_type: RecordType
    source: str
    revision: int
    sequence: int
    accepted_at: datetime
    state: Record


@dataclass(frozen=True)
class StoredRecord:
    """A record as stored, with the charge set it has now."""

    accepted: StoredState
    change: ChargeSetChanged


def next_batch(connection: Connection, scope: Scope, *, limit: int) -> list[StoredRecord]:
    """Return, locked, the next records that ``scope`` has to look at."""
    parameters: dict[str, Any] = {
        "book": scope.book,
        "cursor": scope.cursor,
        "version": scope.version,
        "limit": limit,
    }
    if scope.kind == "facts":
        parameters["dependencies"] = list(scope.dependencies)
        statement = _PARKED_DEPENDENT if scope.phase == "parked" else _REST_DEPENDENT
    else:
        statement = _PARKED if scope.phase == "parked" else _REST
    return [_stored(row) for row in connection.execute(statement, parameters).mappings()]


def page(
    connection: Connection, book: str, cursor: str, *, parked: bool, limit: int
) -> list[StoredRecord]:
    """Return, not locked, the parked or the other records of a book after ``cursor``."""
    parameters = {"book": book, "cursor": cursor, "limit": limit}
    statement = _PAGE_PARKED if parked else _PAGE
    return [_stored(row) for row in connection.execute(statement, parameters).mappings()]


def under_other_rules(
    connection: Connection, book: str, cursor: str, *, tzdata: str, limit: int
) -> list[StoredRecord]:
    """Return charged time after ``cursor`` whose days other time zone rules gave."""
    made_now = f'"tzdata":"{tzdata}"'
    parameters = {"book": book, "cursor": cursor, "made_now": made_now, "limit": limit}
    rows = connection.execute(_UNDER_OTHER_RULES, parameters).mappings()
    return [_stored(row) for row in rows]


def of_time(
    connection: Connection, book: str, cursor: str, *, first: date, last: date, limit: int
) -> list[StoredRecord]:
    """Return the time entries after ``cursor`` whose work counts on these days."""
    parameters = {"book": book, "cursor": cursor, "first": first, "last": last, "limit": limit}
    return [_stored(row) for row in connection.execute(_OF_TIME, parameters).mappings()]


def some(connection: Connection, book: str, record_ids: Sequence[str]) -> list[StoredRecord]:
    """Return, locked, the charged ones of the records named."""
    parameters = {"book": book, "record_ids": list(record_ids)}
    return [_stored(row) for row in connection.execute(_SOME, parameters).mappings()]


def book_of_parked(connection: Connection, record_id: str) -> str | None:
    """Return the book of a parked record, None if nothing parked has this id."""
    found = connection.execute(_BOOK_OF_PARKED, {"record_id": record_id}).scalar()
    return None if found is None else str(found)


def one(connection: Connection, book: str, record_id: str) -> StoredRecord | None:
    """Return a record as stored, not locked; None if the book has none of this id."""
    parameters = {"book": book, "record_id": record_id}
    row = connection.execute(_ONE, parameters).mappings().first()
    return None if row is None else _stored(row)


def one_parked(connection: Connection, book: str, record_id: str) -> StoredRecord | None:
    """Return a parked record, locked; None if it isn't parked (any more)."""
    parameters = {"book": book, "record_id": record_id}
    row = connection.execute(_ONE_PARKED, parameters).mappings().first()
    return None if row is None else _stored(row)


def has_dependents(connection: Connection, book: str, dependencies: Sequence[str]) -> bool:
    """Return whether any record's mapping asked for one of these facts."""
    parameters = {"book": book, "dependencies": list(dependencies)}
    return bool(connection.execute(_ANY_DEPENDENT, parameters).scalar_one())


def map_again(
    connection: Connection,
    book_name: str,
    book: CompiledBook | None,
    batch: Sequence[StoredRecord],
    *,
    keep_days: bool = True,
) -> list[MappedRecord]:
    """Map stored records under ``book`` with the facts known now.

    Where only the time zone rules changed, work keeps the days that it was charged on, unless
    ``keep_days`` is off: that is proposed and decided, never a side effect.
    """
    known = facts.known_facts(
        connection,
        (((book_name, item.accepted.source), item.accepted.state) for item in batch),
    )
    named = [(book, book_name, item.accepted.source, item.accepted.state) for item in batch]
    links = links_of(connection, named, known)
    states = (((book_name, item.accepted.record_id), item.accepted.state) for item in batch)
    decided = decided_folds(connection, states)
    return [
        map_accepted(
            book_name,
            book,
            item.accepted,
            known.get((book_name, item.accepted.source), NO_FACTS),
            links=linked,
            remembered=Remembered(
                decided.get((book_name, item.accepted.record_id)),
                item.change.charges if keep_days else (),
            ),
        )
        for item, linked in zip(batch, links, strict=True)
    ]


def _stored(row: RowMapping) -> StoredRecord:
    accepted = StoredState(
        record_id=row["record_id"],
        record_type=RecordType(row["record_type"]),
        source=row["source"],
        revision=row["revision"],
        sequence=row["sequence"],
        accepted_at=row["accepted_at"],
        state=records.read_state(row["record_type"], row["state"]),
    )
    return StoredRecord(accepted, ChargeSetChanged.model_validate_json(row["charge_set"]))
