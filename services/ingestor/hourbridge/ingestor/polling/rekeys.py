"""Ids that a source changed without saying so: the entry that vanished and the one that appeared.

BigTime gives an entry another id at its submission and leaves no pointer. Where an id is called
temporary by its source, a record that a complete reading lacks and one that came after it with
the same content are the same. Identical twins are paired one to one, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.messages.records import RECORD_MODELS, Approval, Record
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor.acceptor import Statement
from hourbridge.ingestor.identity import OrderKey, OrderKind, content_hash_of, microseconds_of

_SUCCESSORS = statement(
    # What came after a vanished one, on its day, is still stated, and is nobody's successor yet.
    """
    SELECT DISTINCT n.record_id::text AS record_id, n.state, n.raw_ref, n.seen_revision
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(gone uuid)
    JOIN record g ON g.record_id = r.gone
    JOIN record n ON (n.book, n.source, n.record_type) = (g.book, g.source, g.record_type)
        AND n.on_date = g.on_date AND NOT n.deleted AND n.merged_into IS NULL
        AND n.stated_as_of >= :as_of AND n.sequence > g.sequence
    WHERE NOT EXISTS (SELECT 1 FROM record_alias a WHERE a.record_id = n.record_id)
    """
)
_CHANGED_BY_SUBMITTING: dict[str, Any] = {"approval": Approval(), "lock": None}


@dataclass(frozen=True)
class Vanished:
    """A record that a complete reading doesn't hold any more."""

    record_id: str
    state: Record
    ids: frozenset[str] = frozenset()
    """Every id that the source has called it by: it is gone when all of them are."""


def successors(
    connection: Connection,
    gone: Sequence[Vanished],
    *,
    book: str,
    source: str,
    as_of: datetime,
    kind: OrderKind,
) -> list[Statement]:
    """Return what appeared in place of records that vanished, stated with its former ids.

    All are of one type. Accepting these statements makes each pair one record.
    """
    if not gone:
        return []
    rows = [{"gone": each.record_id} for each in gone]
    found = bulk(connection, _SUCCESSORS, rows, as_of=microseconds_of(as_of)).mappings()
    model = RECORD_MODELS[gone[0].state.record_type]
    came = [(model.model_validate(row["state"]), row) for row in found]
    waiting: dict[str, list[Record]] = {}
    for one in sorted((each.state for each in gone), key=_rank):
        waiting.setdefault(_print(one), []).append(one)
    statements = []
    for state, row in sorted(came, key=lambda pair: _rank(pair[0])):
        same = waiting.get(_print(state), [])
        former = next((each for each in same if _is_temporary(each, state)), None)
        if former is None:
            continue
        same.remove(former)
        ids = (*former.previous_external_ids, former.external_id)
        statements.append(
            Statement(
                book=book,
                source=source,
                record=state.model_copy(update={"previous_external_ids": ids}),
                raw_ref=row["raw_ref"],
                as_of=as_of,
                order_key=OrderKey(kind, row["seen_revision"]),
            )
        )
    return statements


def _is_temporary(*states: Record) -> bool:
    return any(state.external_id_kind == "temporary" for state in states)


def _print(state: Record) -> str:
    """Return a digest of what two forms of one entry share."""
    changes = _CHANGED_BY_SUBMITTING.items()
    same = {name: value for name, value in changes if name in type(state).model_fields}
    return content_hash_of(state.model_copy(update=same))


def _rank(state: Record) -> tuple[int, str]:
    """Return the order of ids as numbers: -9 before -10, as they were given."""
    digits = state.external_id.lstrip("-")
    return len(digits), digits
