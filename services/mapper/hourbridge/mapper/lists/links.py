"""The stored links with what was agreed; all statements run in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.store.rows import bulk, statement
from hourbridge.mapper.rules.linked import link_dependency
from hourbridge.matching.entry import LEDGER, Entry, EntryKey
from hourbridge.matching.state import Agreed, Link, LinkKey, Mark

_ALL = text("SELECT * FROM list_link WHERE book = :book AND company = :company")
_MARKS = text("SELECT side, list_name, entry_id, mark FROM list_mark WHERE book = :book")
_KEY = "book, company, source, list_name, entry_id, ledger_list"
_KEY_TYPES = "book text, company text, source text, list_name text, entry_id text, ledger_list text"
_REST = "ledger_id, state, how, label, target, agreed"
_SAME = (
    f"l.state = 'linked' AND (l.{_KEY.replace(', ', ', l.')}) = (r.{_KEY.replace(', ', ', r.')})"
)
_UNLINK = statement(
    f"DELETE FROM list_link l USING jsonb_to_recordset(CAST(:rows AS jsonb)) "
    f"AS r({_KEY_TYPES}, ledger_id text) WHERE {_SAME} AND l.ledger_id <> r.ledger_id"
)
_UPSERT = statement(
    f"""
    INSERT INTO list_link ({_KEY}, {_REST}, linked_at, linked_by, note)
    SELECT {_KEY}, {_REST}, CAST(:now AS timestamptz), linked_by, note
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        {_KEY_TYPES}, ledger_id text, state text, how text, label text, target jsonb,
        agreed jsonb, linked_by text, note text)
    ORDER BY {_KEY}, ledger_id
    ON CONFLICT ({_KEY}, ledger_id) DO UPDATE SET
        state = excluded.state, how = excluded.how, target = excluded.target,
        agreed = excluded.agreed, linked_at = excluded.linked_at, linked_by = excluded.linked_by,
        note = excluded.note
    """
)
_AGREE = statement(
    f"UPDATE list_link l SET agreed = l.agreed || r.agreed "
    f"FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r({_KEY_TYPES}, agreed jsonb) WHERE {_SAME}"
)
_TARGETS = statement(
    f"UPDATE list_link l SET target = r.target "
    f"FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r({_KEY_TYPES}, target jsonb) WHERE {_SAME}"
)
_APART = text(
    "UPDATE list_link SET state = 'apart', linked_by = :actor, note = :note, linked_at = :now "
    "WHERE book = :book AND company = :company AND source = :source AND list_name = :list_name "
    "AND entry_id = :entry_id AND ledger_list = :ledger_list AND state = 'linked' "
    "RETURNING ledger_id"
)
_NOTE = statement(
    "INSERT INTO fact_change (book, dependency) SELECT book, dependency "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(book text, dependency text)"
)
_MARK = text(
    "INSERT INTO list_mark (book, side, list_name, entry_id, mark, marked_at, marked_by, note) "
    "VALUES (:book, :side, :list_name, :entry_id, :mark, :now, :actor, :note) "
    "ON CONFLICT (book, side, list_name, entry_id) DO UPDATE SET mark = excluded.mark, "
    "marked_at = excluded.marked_at, marked_by = excluded.marked_by, note = excluded.note"
)
_UNMARK = text(
    "DELETE FROM list_mark WHERE book = :book AND side = :side AND list_name = :list_name "
    "AND entry_id = :entry_id"
)


class Owner(NamedTuple):
    """A book, and the company of the ledger whose ids its links lead to."""

    book: str
    company: str


def owner_of(configuration: BookConfiguration) -> Owner:
    """Return whose links hold under a configuration: a book that moves to another ledger links
    anew."""
    ledger = configuration.ledger
    return Owner(configuration.book, f"{ledger.kind}:{ledger.company_id}")


class StoredLinks(NamedTuple):
    """A book's links, and the pairs that are to stay apart."""

    links: tuple[Link, ...]
    apart: frozenset[tuple[LinkKey, str]]
    targets: dict[LinkKey, dict[str, Any]]
    """What mapping was last told of the ledger's entry."""


class Made(NamedTuple):
    """A link to store, with its names on both sides."""

    link: Link
    label: str
    """What the tracker called it when it was linked: what charges call it from then on."""
    target: dict[str, Any]
    by: str
    note: str | None = None


def load(connection: Connection, owner: Owner) -> StoredLinks:
    """Return all links of a book."""
    links, apart, targets = [], set(), {}
    for row in connection.execute(_ALL, owner._asdict()):
        key = (row.source, row.list_name, row.entry_id, row.ledger_list)
        if row.state == "apart":
            apart.add((key, row.ledger_id))
            continue
        agreed = {name: (pair[0], pair[1]) for name, pair in row.agreed.items()}
        links.append(Link(*key, ledger_id=row.ledger_id, how=row.how, agreed=agreed))
        targets[key] = row.target
    return StoredLinks(tuple(links), frozenset(apart), targets)


def marks(connection: Connection, owner: Owner) -> dict[EntryKey, Mark]:
    """Return what people blocked or allowed one by one."""
    rows = connection.execute(_MARKS, {"book": owner.book})
    sides = {owner.company: LEDGER}
    return {(sides.get(row.side, row.side), row.list_name, row.entry_id): row.mark for row in rows}


def store(connection: Connection, owner: Owner, made: Sequence[Made], now: datetime) -> None:
    """Store links in place of what their keys had; what waits for them is mapped again."""
    rows = [
        {
            **key_row(owner, item.link.key),
            "ledger_id": item.link.ledger_id,
            "state": "linked",
            "how": item.link.how,
            "label": item.label,
            "target": item.target,
            "agreed": item.link.agreed,
            "linked_by": item.by,
            "note": item.note,
        }
        for item in made
    ]
    if rows:
        bulk(connection, _UNLINK, rows)
        bulk(connection, _UPSERT, rows, now=now)
        note_changes(connection, owner.book, (item.link.key for item in made))


def agree(connection: Connection, owner: Owner, agreed: Iterable[tuple[LinkKey, Agreed]]) -> None:
    """Remember what both sides say alike now."""
    rows = [{**key_row(owner, key), "agreed": values} for key, values in agreed]
    if rows:
        bulk(connection, _AGREE, rows)


def retarget(
    connection: Connection, owner: Owner, targets: Mapping[LinkKey, dict[str, Any]]
) -> None:
    """Remember what linked entries of the ledger are now; their records are mapped again."""
    rows = [{**key_row(owner, key), "target": target} for key, target in targets.items()]
    if rows:
        bulk(connection, _TARGETS, rows)
        note_changes(connection, owner.book, targets)


def part(
    connection: Connection,
    owner: Owner,
    key: LinkKey,
    *,
    actor: str,
    note: str | None,
    now: datetime,
) -> str | None:
    """End a link for good; return where it led, None where there is none."""
    parameters = {**key_row(owner, key), "actor": actor, "note": note, "now": now}
    ledger_id = connection.execute(_APART, parameters).scalar()
    if ledger_id is not None:
        note_changes(connection, owner.book, [key])
    return ledger_id


def keep_apart(
    connection: Connection, owner: Owner, key: LinkKey, ledger_id: str, *, actor: str, now: datetime
) -> None:
    """Remember that two entries don't belong together."""
    row = {
        **key_row(owner, key),
        "ledger_id": ledger_id,
        "state": "apart",
        "how": "manual",
        "label": "",
        "target": {},
        "agreed": {},
        "linked_by": actor,
        "note": None,
    }
    bulk(connection, _UPSERT, [row], now=now)


def mark(
    connection: Connection,
    owner: Owner,
    key: EntryKey,
    wanted: Mark | None,
    *,
    actor: str,
    note: str | None,
    now: datetime,
) -> None:
    """Block or allow one entry, or leave it to the rules again."""
    side, list_name, entry_id = key
    side = owner.company if side == LEDGER else side
    parameters = {"book": owner.book, "side": side, "list_name": list_name, "entry_id": entry_id}
    if wanted is None:
        connection.execute(_UNMARK, parameters)
        return
    more = {"mark": wanted, "actor": actor, "note": note, "now": now}
    connection.execute(_MARK, {**parameters, **more})


def note_changes(connection: Connection, book: str, keys: Iterable[LinkKey]) -> None:
    """Let records be mapped again that asked for these links."""
    names = sorted({link_dependency(book, key[0], key[1], key[2]) for key in keys})
    if names:
        bulk(connection, _NOTE, [{"book": book, "dependency": name} for name in names])


def target_of(entry: Entry, root: Entry) -> dict[str, Any]:
    """Return what mapping needs to know of the ledger's entry that a link leads to."""
    known = {
        "name": entry.label,
        "list": entry.list_name,
        "currency": root.currency or entry.currency,
        "rate": entry.values.get("rate"),
        "root_id": root.entry_id if root.entry_id != entry.entry_id else None,
        "is_active": None if entry.is_usable else False,
    }
    return {name: value for name, value in known.items() if value is not None}


def key_row(owner: Owner, key: LinkKey) -> dict[str, Any]:
    """Return a link's key as columns."""
    source, list_name, entry_id, ledger_list = key
    return {
        **owner._asdict(),
        "source": source,
        "list_name": list_name,
        "entry_id": entry_id,
        "ledger_list": ledger_list,
    }
