"""One kind of order per source and record type: versions and times can't be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RecordType
from hourbridge.common.store.rows import statement
from hourbridge.ingestor.identity import OrderKind

if TYPE_CHECKING:
    from hourbridge.ingestor.acceptor import Statement

Scope = tuple[str, str, RecordType]
Kinds = dict[Scope, OrderKind]

STORE = statement(
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


def scopes_of(statements: Sequence[Statement]) -> Kinds:
    """Return the kind that every scope in the batch would have: its first statement's."""
    scopes = {scope_of(stated): stated for stated in reversed(statements)}
    return {scope: stated.order.kind for scope, stated in scopes.items()}


def rows_of(kinds: Kinds) -> list[dict[str, str]]:
    """Return new scopes as rows for ``STORE``, which fixes their kind."""
    return [
        {"book": scope[0], "source": scope[1], "record_type": scope[2], "kind": kinds[scope]}
        for scope in sorted(kinds)
    ]


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
