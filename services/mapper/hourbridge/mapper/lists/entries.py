"""The stored entries of both sides; all statements run in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration
from hourbridge.common.book.lists import LedgerList, ListName
from hourbridge.common.messages.records import Record, RecordType
from hourbridge.common.store.rows import bulk, statement
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.reading import entry_of

LIST_RECORDS = frozenset(
    {
        RecordType.LIST_ENTRY,
        RecordType.CLIENT,
        RecordType.PROJECT,
        RecordType.STAFF_MEMBER,
        RecordType.VENDOR,
        RecordType.WORK_ITEM,
        RecordType.PICKLIST_VALUE,
    }
)
"""The records that state entries of lists."""

KNOWN_LISTS = (
    frozenset(get_args(ListName))
    | frozenset(get_args(LedgerList))
    | {
        "company",
        "preferences",
        "department",
        "payment_method",
        "currency",
    }
)
"""What is kept; a ledger's touched documents and exchange rates also travel as list entries."""

_LIKE_MICROSECONDS = 10**14
"""Revisions of that size are times: those of a reading, or the source's own."""
_KEY = "book, source, list_name, entry_id"
_LOAD_SOME = statement(
    "SELECT e.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
    "AS r(book text, source text, list_name text, entry_id text) "
    f"JOIN list_entry e USING ({_KEY}) ORDER BY {_KEY} FOR UPDATE OF e"
)
_UPSERT = statement(
    f"""
    INSERT INTO list_entry ({_KEY}, record_id, revision, entry, learned_at, written_at)
    SELECT {_KEY}, record_id, revision, entry, CAST(:now AS timestamptz), written_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, source text, list_name text, entry_id text, record_id text, revision bigint,
        entry jsonb, written_at timestamptz)
    ORDER BY {_KEY}
    ON CONFLICT ({_KEY}) DO UPDATE SET
        record_id = excluded.record_id, revision = excluded.revision, entry = excluded.entry,
        learned_at = excluded.learned_at, written_at = excluded.written_at
    WHERE list_entry.revision <= excluded.revision
    """
)
_OF_BOOK = statement("SELECT source, entry FROM list_entry WHERE book = :book")
_DUE = statement(
    "INSERT INTO list_book (book) SELECT unnest(CAST(:books AS text[])) ORDER BY 1 "
    "ON CONFLICT (book) DO UPDATE SET is_due = true WHERE NOT list_book.is_due"
)
_BOOKS = statement(
    "INSERT INTO list_book (book) SELECT unnest(CAST(:books AS text[])) ORDER BY 1 "
    "ON CONFLICT (book) DO NOTHING"
)
_TURN = statement(
    "SELECT book FROM list_book WHERE book = ANY(CAST(:books AS text[])) ORDER BY book FOR UPDATE"
)
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


@dataclass(frozen=True, slots=True)
class StatedEntry:
    """A record of a list that was accepted."""

    book: str
    source: str
    record_id: str
    revision: int
    record: Record


def ledger_names(configuration: BookConfiguration) -> frozenset[str]:
    """Return the names under which the lists of the book's ledger arrive.

    They come from sources of the ledger's own system: from the one that reads the book's
    connection, where there are several.
    """
    ledger = configuration.ledger
    own = [source for source in configuration.sources if source.system == ledger.kind]
    exact = [s for s in own if ledger.connection in (s.name, s.connection)]
    names = {source.name for source in exact or own}
    if ledger.connection not in {source.name for source in configuration.sources}:
        names.add(ledger.connection)
    return frozenset(names)


def learn(connection: Connection, stated: Sequence[StatedEntry], now: datetime) -> set[str]:
    """Store what records say of lists; return the books in which anything changed.

    The caller has taken its turn. Older statements change nothing, nor does a reading that began
    before our own last write.
    """
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for item in sorted(stated, key=lambda item: item.revision):
        entry = entry_of(item.record, item.record_id, item.source)
        if entry is not None and entry.list_name in KNOWN_LISTS:
            row = _row(item, entry)
            rows[_key_of(row)] = row
    if not rows:
        return set()
    held = {
        _key_of(row): row for row in bulk(connection, _LOAD_SOME, list(rows.values())).mappings()
    }
    fresh = [row for key, row in rows.items() if key not in held or _is_newer(row, held[key])]
    for row in fresh:
        row["written_at"] = None
    if fresh:
        bulk(connection, _UPSERT, fresh, now=now)
    changed = {
        row["book"]
        for row in fresh
        if _key_of(row) not in held or held[_key_of(row)]["entry"] != row["entry"]
    }
    mark_due(connection, changed)
    return changed


def store_written(
    connection: Connection, book: str, source: str, entry: Entry, now: datetime
) -> None:
    """Store an entry as its system holds it after our write."""
    key = {"book": book, "source": source, "list_name": entry.list_name, "entry_id": entry.entry_id}
    held = bulk(connection, _LOAD_SOME, [key]).mappings().first()
    row = {
        **key,
        "record_id": held["record_id"] if held else entry.record_id,
        "revision": held["revision"] if held else 0,
        "entry": _as_json(entry),
        "written_at": now,
    }
    if held is None or not _is_older_version(entry, _ENTRY.validate_python(held["entry"])):
        bulk(connection, _UPSERT, [row], now=now)


def take_turn(connection: Connection, books: Iterable[str]) -> None:
    """Wait until nobody else changes or plans the lists of ``books``, until the transaction ends.

    Whoever locks anything of the lists calls this first: one order everywhere, no deadlock.
    """
    wanted = {"books": sorted(set(books))}
    connection.execute(_BOOKS, wanted)
    connection.execute(_TURN, wanted)


def mark_due(connection: Connection, books: Iterable[str]) -> None:
    """Let books be planned again."""
    wanted = sorted(set(books))
    if wanted:
        connection.execute(_DUE, {"books": wanted})


def entries_of(connection: Connection, book: str, ledger: frozenset[str]) -> Iterator[Entry]:
    """Yield all entries of a book; those of the ledger's names on the ledger's side."""
    for row in connection.execute(_OF_BOOK, {"book": book}):
        entry = _ENTRY.validate_python(row.entry)
        if row.source in ledger:
            entry = _on_ledger_side(entry)
        yield entry


def _on_ledger_side(entry: Entry) -> Entry:
    return Entry(**{**{name: getattr(entry, name) for name in _NAMES}, "side": LEDGER})


_NAMES = tuple(Entry.__dataclass_fields__)


def _as_json(entry: Entry) -> Any:
    """Return an entry's stored form; what has its default is left out."""
    values = to_jsonable_python(asdict(entry))
    return {name: value for name, value in values.items() if value not in (None, {}, [])}


def _row(item: StatedEntry, entry: Entry) -> dict[str, Any]:
    return {
        "book": item.book,
        "source": item.source,
        "list_name": entry.list_name,
        "entry_id": entry.entry_id,
        "record_id": item.record_id,
        "revision": item.revision,
        "entry": _as_json(entry),
    }


def _key_of(row: Any) -> tuple[str, ...]:
    return (row["book"], row["source"], row["list_name"], row["entry_id"])


def _is_newer(row: dict[str, Any], held: Any) -> bool:
    """Return whether a statement is newer than what is held, our own writes included.

    The ledger's version decides where both have one; else the time of the reading.
    """
    if row["revision"] < held["revision"]:
        return False
    if held["written_at"] is None:
        return True
    stated, written = _ENTRY.validate_python(row["entry"]), _ENTRY.validate_python(held["entry"])
    if _has_version(stated, written):
        return not _is_older_version(stated, written)
    written_at = int(held["written_at"].timestamp() * 1_000_000)
    return not _LIKE_MICROSECONDS < row["revision"] < written_at


def _has_version(one: Entry, other: Entry) -> bool:
    both = (one.edit_token, other.edit_token)
    has_numbers = all(token is not None and token.isdigit() for token in both)
    return has_numbers or (one.updated_at is not None and other.updated_at is not None)


def _is_older_version(one: Entry, other: Entry) -> bool:
    """Return whether the system's own version says that ``one`` is older."""
    if one.edit_token and other.edit_token and (one.edit_token + other.edit_token).isdigit():
        return int(one.edit_token) < int(other.edit_token)
    if one.updated_at is not None and other.updated_at is not None:
        return one.updated_at < other.updated_at
    return False


def parse_entry(document: Any) -> Entry:
    """Return an entry from its stored form."""
    return _ENTRY.validate_python(json.loads(document) if isinstance(document, str) else document)
