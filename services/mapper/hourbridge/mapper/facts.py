"""What sources' master data says, by the source's ids; runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.records import Record
from hourbridge.common.store.rows import bulk, statement
from hourbridge.mapper.rules.subject import (
    NO_FACTS,
    Fact,
    FactKey,
    Facts,
    Mappable,
    fact_of,
    subject_of,
)

_KEYS = (
    "jsonb_to_recordset(CAST(:rows AS jsonb)) "
    "AS r(book text, source text, kind text, external_id text)"
)
_LOAD = statement(
    f"SELECT f.* FROM {_KEYS} JOIN source_fact f USING (book, source, kind, external_id)"
)
_UPSERT = statement(
    """
    INSERT INTO source_fact (book, source, kind, external_id, record_id, revision, name,
                             client_id, client_name, zone)
    SELECT book, source, kind, external_id, record_id, revision, name, client_id, client_name,
           zone
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, source text, kind text, external_id text, record_id text, revision bigint,
        name text, client_id text, client_name text, zone text)
    ORDER BY book, source, kind, external_id
    ON CONFLICT (book, source, kind, external_id) DO UPDATE SET
        record_id = excluded.record_id, revision = excluded.revision, name = excluded.name,
        client_id = excluded.client_id, client_name = excluded.client_name,
        zone = excluded.zone
    WHERE source_fact.revision < excluded.revision
    """
)
_NOTE_CHANGES = statement(
    "INSERT INTO fact_change (book, dependency) SELECT book, dependency "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(book text, dependency text)"
)

Owner = tuple[str, str]
"""A book and one of its sources."""
KnownFacts = Mapping[Owner, Facts]


@dataclass(frozen=True, slots=True)
class StatedFact:
    """A master data record that was accepted."""

    book: str
    source: str
    record_id: str
    revision: int
    record: Record


def learn(connection: Connection, stated: Sequence[StatedFact]) -> bool:
    """Store what master data records say; note which facts changed. Older ones change nothing.

    Returns whether anything changed: then what depends on it is to be mapped again.
    """
    rows = {}
    for item in sorted(stated, key=lambda item: item.revision):
        learned = fact_of(item.record)
        if learned is not None:
            key, fact = learned
            rows[item.book, item.source, key] = _row(item, key, fact)
    if not rows:
        return False
    held = {
        (row.book, row.source, FactKey(row.kind, row.external_id)): row
        for row in bulk(connection, _LOAD, list(rows.values()))
    }
    fresh = {
        key: row
        for key, row in rows.items()
        if key not in held or held[key].revision < row["revision"]
    }
    changed = [
        {"book": book, "dependency": key.dependency(book, source)}
        for (book, source, key), row in fresh.items()
        if (book, source, key) not in held
        or any(getattr(held[book, source, key], part) != row[part] for part in _MATTERS)
    ]
    if fresh:
        bulk(connection, _UPSERT, list(fresh.values()))
    if changed:
        bulk(connection, _NOTE_CHANGES, changed)
    return bool(changed)


_MATTERS = ("name", "client_id", "client_name", "zone")


def _row(item: StatedFact, key: FactKey, fact: Fact) -> dict[str, object]:
    return {
        "book": item.book,
        "source": item.source,
        "kind": key.kind,
        "external_id": key.id,
        "record_id": item.record_id,
        "revision": item.revision,
        "name": fact.name,
        "client_id": fact.client_id,
        "client_name": fact.client_name,
        "zone": fact.zone,
    }


def _fact(row: Any) -> Fact:
    return Fact(row.name, row.client_id, row.client_name, row.zone)


def known_facts(
    connection: Connection, records: Iterable[tuple[Owner, Record]]
) -> dict[Owner, dict[FactKey, Fact]]:
    """Return the facts that mapping ``records`` asks for.

    Asked twice at most: a project's fact may name a client whose name is a fact of its own.
    Records that state everything themselves cost no query.
    """
    known: dict[Owner, dict[FactKey, Fact]] = {}
    asked: set[tuple[Owner, FactKey]] = set()
    pending = [(owner, record) for owner, record in records if isinstance(record, Mappable)]
    while pending:
        wanted: dict[tuple[Owner, FactKey], None] = {}
        still: list[tuple[Owner, Mappable]] = []
        for owner, record in pending:
            consulted = subject_of(record, known.get(owner, NO_FACTS)).consulted
            new = [(owner, key) for key in consulted if (owner, key) not in asked]
            if new:
                wanted.update(dict.fromkeys(new))
                still.append((owner, record))
        asked.update(wanted)
        if not wanted or not _load(connection, wanted, known):
            break  # nothing new is known, so nothing more is asked for
        pending = still
    return known


def _load(
    connection: Connection,
    wanted: Iterable[tuple[Owner, FactKey]],
    known: dict[Owner, dict[FactKey, Fact]],
) -> bool:
    """Add what is stored of ``wanted`` to ``known``; return whether there was anything."""
    rows = [
        {"book": book, "source": source, "kind": key.kind, "external_id": key.id}
        for (book, source), key in wanted
    ]
    found = bulk(connection, _LOAD, rows).all()
    for row in found:
        facts = known.setdefault((row.book, row.source), {})
        facts[FactKey(row.kind, row.external_id)] = _fact(row)
    return bool(found)
