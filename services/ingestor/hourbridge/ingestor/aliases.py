"""Resolving ids: a source may change the id of a thing; the record stays the same.

BigTime gives an entry a new id at submission, for example. A statement names former ids in
``previous_external_ids``; statements may arrive in any order, so two records may turn out to be
one: then the later one is merged into the earlier and withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor.identity import record_id_of

Name = tuple[str, str, RecordType, str]
"""(book, source, record type, external id)."""

_FIND = statement(
    """
    SELECT r.book, r.source, r.record_type, r.name, a.record_id::text AS alias_of,
           d.record_id::text AS own, coalesce(t.sequence, d.sequence) AS sequence
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(book text, source text, record_type text, name text, record_id uuid)
    LEFT JOIN record_alias a ON (a.book, a.source, a.record_type, a.alias)
                              = (r.book, r.source, r.record_type, r.name)
    LEFT JOIN record t ON t.record_id = a.record_id
    LEFT JOIN record d ON d.record_id = r.record_id AND a.record_id IS NULL
    """
)
_ADD = statement(
    """
    INSERT INTO record_alias (book, source, record_type, alias, record_id)
    SELECT book, source, record_type, alias, record_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(book text, source text, record_type text, alias text, record_id uuid)
    ON CONFLICT (book, source, record_type, alias) DO UPDATE SET record_id = excluded.record_id
    """
)
_REDIRECT = statement(
    """
    UPDATE record_alias a SET record_id = r.survivor
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(loser uuid, survivor uuid)
    WHERE a.record_id = r.loser
    """
)
_REDIRECT_OWN_NAME = statement(
    """
    INSERT INTO record_alias (book, source, record_type, alias, record_id)
    SELECT l.book, l.source, l.record_type, l.external_id, r.survivor
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(loser uuid, survivor uuid)
    JOIN record l ON l.record_id = r.loser
    ON CONFLICT (book, source, record_type, alias) DO UPDATE SET record_id = excluded.record_id
    """
)


@dataclass(frozen=True)
class Named:
    """The names by which one statement calls its record."""

    name: Name
    previous: tuple[str, ...] = ()

    @property
    def all(self) -> list[Name]:
        """Return the present name, then the former ones."""
        book, source, record_type, _ = self.name
        return [self.name, *((book, source, record_type, former) for former in self.previous)]


@dataclass
class Identities:
    """What names lead to, and what has to be written to keep it so."""

    record_ids: list[str]
    """The record of each statement, in the order given."""
    aliases: dict[Name, str] = field(default_factory=dict)
    merges: dict[str, str] = field(default_factory=dict)
    """Record withdrawn -> record that goes on."""


@dataclass(frozen=True)
class _Known:
    record_id: str
    sequence: int
    """Of the record's acceptance; the earlier record survives a merge."""


class _Clusters:
    """Names that turned out to mean the same thing (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[Name, Name] = {}

    def root(self, name: Name) -> Name:
        parent = self._parent.setdefault(name, name)
        while parent != self._parent[parent]:
            self._parent[parent] = self._parent[self._parent[parent]]
            parent = self._parent[parent]
        return parent

    def join(self, names: Sequence[Name]) -> None:
        for name in names:
            self._parent[self.root(name)] = self.root(names[0])

    def members(self) -> dict[Name, list[Name]]:
        found: dict[Name, list[Name]] = {}
        for name in self._parent:
            found.setdefault(self.root(name), []).append(name)
        return found


def resolve(connection: Connection, statements: Sequence[Named]) -> Identities:
    """Return the record of each statement. Needs the lock of the books concerned."""
    names = {name for stated in statements for name in stated.all}
    known = _find(connection, names)
    changed_names = {name for stated in statements if stated.previous for name in stated.all}
    if not changed_names:
        return Identities([_lone(stated.name, known) for stated in statements])
    clusters = _Clusters()
    for stated in statements:
        clusters.join(stated.all)
    for same in _by_record(known).values():
        clusters.join(same)
    renamed = {stated.name for stated in statements if stated.previous}
    identities = Identities([])
    target: dict[Name, str] = {}
    for root, members in clusters.members().items():
        target[root] = _settle(members, known, renamed, identities)
    identities.record_ids = [target[clusters.root(stated.name)] for stated in statements]
    return identities


def _lone(name: Name, known: dict[Name, _Known]) -> str:
    return known[name].record_id if name in known else record_id_of(*name)


def _by_record(known: dict[Name, _Known]) -> dict[str, list[Name]]:
    found: dict[str, list[Name]] = {}
    for name in sorted(known):
        found.setdefault(known[name].record_id, []).append(name)
    return found


def _settle(
    members: list[Name], known: dict[Name, _Known], renamed: set[Name], identities: Identities
) -> str:
    """Choose the one record of ``members`` and note the aliases and merges that follow."""
    existing = {known[name].record_id: known[name] for name in members if name in known}
    by_age = sorted(existing.values(), key=lambda found: (found.sequence, found.record_id))
    if by_age:
        survivor = by_age[0].record_id
    else:
        oldest_name = min(members, key=lambda name: (name in renamed, name[3]))
        survivor = record_id_of(*oldest_name)
    for loser in by_age[1:]:
        identities.merges[loser.record_id] = survivor
    if len(members) > 1:  # the record's first name too: a later merge leads all of them on
        identities.aliases.update(dict.fromkeys(members, survivor))
    return survivor


def _find(connection: Connection, names: Iterable[Name]) -> dict[Name, _Known]:
    rows = [
        {
            "book": book,
            "source": source,
            "record_type": record_type,
            "name": name,
            "record_id": record_id_of(book, source, record_type, name),
        }
        for book, source, record_type, name in sorted(names)
    ]
    known = {}
    for row in bulk(connection, _FIND, rows):
        if row.alias_of or row.own:
            name = (row.book, row.source, RecordType(row.record_type), row.name)
            known[name] = _Known(row.alias_of or row.own, row.sequence or 0)
    return known


def store(connection: Connection, identities: Identities) -> None:
    """Write the aliases found and lead those of merged records to their survivors."""
    if identities.merges:
        merges = [{"loser": old, "survivor": new} for old, new in identities.merges.items()]
        bulk(connection, _REDIRECT, merges)
        bulk(connection, _REDIRECT_OWN_NAME, merges)
    if identities.aliases:
        rows = [
            {
                "book": book,
                "source": source,
                "record_type": record_type,
                "alias": alias,
                "record_id": record_id,
            }
            for (book, source, record_type, alias), record_id in identities.aliases.items()
        ]
        bulk(connection, _ADD, rows)
