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
from hourbridge.ingestor.acceptance import Standing
from hourbridge.ingestor.identity import OrderKind, record_id_of

Name = tuple[str, str, RecordType, str]
"""(book, source, record type, external id)."""
Scope = tuple[str, str, RecordType]
"""(book, source, record type): within it one kind of order holds."""

_FIND = statement(
    """
    SELECT r.position, coalesce(a.record_id, d.record_id)::text AS record_id,
           coalesce(t.sequence, d.sequence, 0) AS sequence,
           coalesce(t.revision, d.revision) AS revision,
           coalesce(t.seen_revision, d.seen_revision) AS seen_revision,
           coalesce(t.content_hash, d.content_hash) AS content_hash, k.kind
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        position int, book text, source text, record_type text, name text, record_id uuid)
    LEFT JOIN record_alias a ON (a.book, a.source, a.record_type, a.alias)
                              = (r.book, r.source, r.record_type, r.name)
    LEFT JOIN record t ON t.record_id = a.record_id
    LEFT JOIN record d ON d.record_id = r.record_id AND a.record_id IS NULL
    LEFT JOIN order_kind k ON r.name IS NULL
         AND (k.book, k.source, k.record_type) = (r.book, r.source, r.record_type)
    WHERE a.record_id IS NOT NULL OR d.record_id IS NOT NULL OR k.kind IS NOT NULL
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
class Known:
    """The record that a name leads to."""

    record_id: str
    sequence: int
    """Of the record's acceptance; the earlier record survives a merge."""
    standing: Standing | None


@dataclass
class Found:
    """What is stored about the names and scopes of a batch."""

    known: dict[Name, Known] = field(default_factory=dict)
    kinds: dict[Scope, OrderKind] = field(default_factory=dict)

    @property
    def standings(self) -> dict[str, Standing]:
        """Return where known records stand."""
        return {each.record_id: each.standing for each in self.known.values() if each.standing}


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


def find(
    connection: Connection, statements: Iterable[Named], scopes: Iterable[Scope] = ()
) -> Found:
    """Look up, in one statement, what names lead to and what scopes are ordered by."""
    names = sorted({name for stated in statements for name in stated.all})
    wanted = sorted(scopes)
    rows: list[dict[str, str | int | None]] = [
        {**_columns(name[:3]), "position": at, "name": name[3], "record_id": record_id_of(*name)}
        for at, name in enumerate(names)
    ]
    rows += [{**_columns(scope), "position": at} for at, scope in enumerate(wanted)]
    found = Found()
    for row in bulk(connection, _FIND, rows):
        if row.kind is not None:
            found.kinds[wanted[row.position]] = OrderKind(row.kind)
            continue
        standing = None
        if row.revision is not None:
            standing = Standing(row.revision, row.seen_revision, row.content_hash)
        found.known[names[row.position]] = Known(row.record_id, row.sequence, standing)
    return found


def _columns(scope: Scope) -> dict[str, str | int | None]:
    return {"book": scope[0], "source": scope[1], "record_type": scope[2]}


def resolve(connection: Connection, statements: Sequence[Named]) -> Identities:
    """Return the record of each statement. Needs the lock of the books concerned."""
    return settle(statements, find(connection, statements))


def settle(statements: Sequence[Named], found: Found) -> Identities:
    """Return the record of each statement, given what is stored about (at least) their names."""
    names = {name for stated in statements for name in stated.all}
    known = {name: each for name, each in found.known.items() if name in names}
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


def _lone(name: Name, known: dict[Name, Known]) -> str:
    return known[name].record_id if name in known else record_id_of(*name)


def _by_record(known: dict[Name, Known]) -> dict[str, list[Name]]:
    found: dict[str, list[Name]] = {}
    for name in sorted(known):
        found.setdefault(known[name].record_id, []).append(name)
    return found


def _settle(
    members: list[Name], known: dict[Name, Known], renamed: set[Name], identities: Identities
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
