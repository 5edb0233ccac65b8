"""The links that mapping records asks for; runs in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from hourbridge.common.messages.records import Record
from hourbridge.common.store.rows import bulk, statement
from hourbridge.mapper.facts import KnownFacts
from hourbridge.mapper.lists.links import owner_of
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import NO_LINKS, AskedFor, LinkedEntry, Links, asked_for
from hourbridge.mapper.rules.subject import NO_FACTS, Mappable, subject_of

_USING = statement(
    "SELECT book FROM list_book WHERE book = ANY(CAST(:books AS text[])) AND has_ledger"
)
_LOAD = statement(
    """
    SELECT l.book, l.source, l.list_name, l.entry_id, l.label, l.how, l.ledger_list, l.ledger_id,
           l.target
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, company text, source text, list_name text, entry_id text)
    JOIN list_link l USING (book, company, source, list_name, entry_id)
    WHERE l.state = 'linked' AND l.target ->> 'is_active' IS DISTINCT FROM 'false'
    """
)

Item = tuple[CompiledBook | None, str, str, Record]
"""A book's version, its name, a source and a record of it."""


def links_of(connection: Connection, items: Sequence[Item], known: KnownFacts) -> list[Links]:
    """Return the links of each record; of books without lists of a ledger there are none.

    Two statements for any number of records, and one where no book keeps lists.
    """
    books = sorted(
        {
            name
            for book, name, _, record in items
            if book is not None and isinstance(record, Mappable)
        }
    )
    using = set(connection.execute(_USING, {"books": books}).scalars()) if books else set()
    asked = [
        _asked(record, known.get((book, source), NO_FACTS)) if book in using else ()
        for _, book, source, record in items
    ]
    found = _load(connection, items, asked)
    return [
        Links(each, {key: found[book, source][key] for key in each if key in found[book, source]})
        if each
        else NO_LINKS
        for each, (_, book, source, _record) in zip(asked, items, strict=True)
    ]


def _asked(record: Record, facts: Mapping) -> tuple[AskedFor, ...]:  # type: ignore[type-arg]
    if not isinstance(record, Mappable):
        return ()
    subject = subject_of(record, facts)
    names = ("client", "project", "task", "staff")
    return asked_for(record, {name: getattr(subject, name).id for name in names})


_Found = dict[tuple[str, str], dict[AskedFor, tuple[LinkedEntry, ...]]]


def _load(
    connection: Connection, items: Sequence[Item], asked: Iterable[tuple[AskedFor, ...]]
) -> _Found:
    wanted = {
        (*owner_of(book.configuration), source, list_name, entry_id)
        for (book, _, source, _record), each in zip(items, asked, strict=True)
        for list_name, entry_id in each
        if book is not None
    }
    found: _Found = defaultdict(dict)
    if not wanted:
        return found
    names = ("book", "company", "source", "list_name", "entry_id")
    rows = [dict(zip(names, each, strict=True)) for each in sorted(wanted)]
    for row in bulk(connection, _LOAD, rows):
        of_source = found[row.book, row.source]
        key = (row.list_name, row.entry_id)
        linked = LinkedEntry(
            list_name=row.list_name,
            entry_id=row.entry_id,
            label=row.label or row.entry_id,
            ledger_list=row.ledger_list,
            ledger_id=row.ledger_id,
            ledger_name=row.target.get("name") or row.label or row.entry_id,
            is_own_client=row.how == "client",
            currency=row.target.get("currency"),
            rate=row.target.get("rate"),
        )
        of_source[key] = (*of_source.get(key, ()), linked)
    return found
