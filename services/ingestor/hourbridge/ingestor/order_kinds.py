"""One kind of order per source and record type: versions and times can't be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor.identity import OrderKind

if TYPE_CHECKING:
    from hourbridge.ingestor.acceptor import Statement

Scope = tuple[str, str, RecordType]
Kinds = dict[Scope, OrderKind]

_LOAD = statement(
    """
    SELECT k.book, k.source, k.record_type, k.kind
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(book text, source text, record_type text)
    JOIN order_kind k USING (book, source, record_type)
    """
)
_STORE = statement(
    """
    INSERT INTO order_kind (book, source, record_type, kind)
    SELECT book, source, record_type, kind FROM jsonb_to_recordset(CAST(:rows AS jsonb))
         AS r(book text, source text, record_type text, kind text)
    ON CONFLICT (book, source, record_type) DO NOTHING
    """
)


def scope_of(stated: Statement) -> Scope:
    """Return within what ``stated`` is ordered."""
    return (stated.book, stated.source, stated.record.record_type)


def load(connection: Connection, statements: Sequence[Statement]) -> Kinds:
    """Return the kind of every scope in the batch; the first statement decides for a new one."""
    scopes = {scope_of(stated): stated for stated in reversed(statements)}
    rows = [_row(scope) for scope in sorted(scopes)]
    kinds = {scope: stated.order.kind for scope, stated in scopes.items()}
    for row in bulk(connection, _LOAD, rows):
        kinds[(row.book, row.source, RecordType(row.record_type))] = OrderKind(row.kind)
    return kinds


def store(connection: Connection, kinds: Kinds) -> None:
    """Fix the kind of new scopes."""
    bulk(connection, _STORE, [{**_row(scope), "kind": kinds[scope]} for scope in sorted(kinds)])


def check(kinds: Kinds, stated: Statement) -> FieldReason | None:
    """Return why a statement can't be put in order with its source's others, if it can't."""
    kind = kinds[scope_of(stated)]
    if stated.order.kind is kind:
        return None
    if kind is OrderKind.VERSION:
        detail = "this source orders by whole-number versions; none is given here"
        return FieldReason(field="external_version", code="version_missing", detail=detail)
    detail = "this source orders by update time; a version number can't be compared with that"
    return FieldReason(field="external_version", code="version_unexpected", detail=detail)


def _row(scope: Scope) -> dict[str, str]:
    book, source, record_type = scope
    return {"book": book, "source": source, "record_type": record_type}
