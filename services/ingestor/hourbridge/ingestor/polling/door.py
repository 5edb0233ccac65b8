"""The door: which of what a source states comes in at all, by list and by record.

A scope is a record type or, of list entries, the list. In it things are blocked or allowed by
their ids; ``*`` stands for all of the scope. What is blocked is counted and its newest statement
kept, so that it comes in when the rule goes, whatever the source would say again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from hourbridge.common.messages.records import RECORD_MODELS, ListEntry, Record, RecordType
from hourbridge.common.store import audit
from hourbridge.common.store.rows import bulk, statement
from hourbridge.ingestor.acceptor import Statement
from hourbridge.ingestor.identity import OrderKey, OrderKind
from hourbridge.ingestor.polling.feeds import SourceKey

EVERYTHING = "*"
Rule = Literal["allow", "block"]

_RULES = statement(
    "SELECT scope, external_id, rule FROM intake_rule WHERE book = :book AND source = :source"
)
_LIST_RULES = statement(
    """
    SELECT r.*, (SELECT count(*) FROM skipped_by_rule s WHERE (s.book, s.source, s.scope)
                 = (r.book, r.source, r.scope)
                 AND r.external_id IN (s.external_id, '*')) AS kept_out
    FROM intake_rule r WHERE r.book = :book AND r.source = :source ORDER BY r.scope, r.external_id
    """
)
_SET = statement(
    """
    INSERT INTO intake_rule (book, source, scope, external_id, rule, note, made_at, made_by)
    VALUES (:book, :source, :scope, :external_id, :rule, :note, :now, :actor)
    ON CONFLICT (book, source, scope, external_id) DO UPDATE SET
        rule = excluded.rule, note = excluded.note, made_at = excluded.made_at,
        made_by = excluded.made_by
    """
)
_REMOVE = statement(
    "DELETE FROM intake_rule WHERE (book, source, scope, external_id) "
    "= (:book, :source, :scope, :external_id)"
)
_KEEP_OUT = statement(
    """
    INSERT INTO skipped_by_rule
        (book, source, scope, external_id, record_type, state, raw_ref, as_of, order_kind,
         order_key, last_seen_at)
    SELECT book, source, scope, external_id, record_type, state, raw_ref, as_of, order_kind,
           order_key, CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, source text, scope text, external_id text, record_type text, state jsonb,
        raw_ref text, as_of timestamptz, order_kind text, order_key bigint)
    ON CONFLICT (book, source, record_type, external_id) DO UPDATE SET
        state = excluded.state, raw_ref = excluded.raw_ref, as_of = excluded.as_of,
        order_kind = excluded.order_kind, order_key = excluded.order_key,
        last_seen_at = excluded.last_seen_at
    WHERE skipped_by_rule.order_key <= excluded.order_key
    """
)
_KEPT_OUT = statement(
    """
    SELECT * FROM skipped_by_rule WHERE book = :book AND source = :source
      AND (CAST(:scope AS text) IS NULL OR scope = :scope)
    ORDER BY record_type, external_id LIMIT :limit
    """
)
_LET_IN = statement(
    "DELETE FROM skipped_by_rule WHERE book = :book AND source = :source "
    "AND record_type = :record_type AND external_id = ANY(:ids)"
)
_ALL = 1_000_000


def scope_of(record: Record) -> str:
    """Return the scope whose rules a record is under."""
    return record.list_name if isinstance(record, ListEntry) else record.record_type.value


def ids_of(record: Record) -> set[str]:
    """Return every id by which a rule may name a record: its present ones and former ones."""
    own = {record.entry_id} if isinstance(record, ListEntry) else set()
    return {record.external_id, *record.previous_external_ids, *own}


@dataclass(frozen=True)
class Door:
    """The rules of one source."""

    rules: dict[str, dict[str, Rule]]
    """Scope -> id -> rule."""

    def permits(self, record: Record) -> bool:
        """Return whether a record comes in.

        What is named counts before what is said of everything; a scope in which only single
        things are allowed is closed for the others.
        """
        of_scope = self.rules.get(scope_of(record))
        if not of_scope:
            return True
        named = {of_scope[each] for each in ids_of(record) if each in of_scope}
        if named:
            return "block" not in named
        general = of_scope.get(EVERYTHING)
        if general is not None:
            return general == "allow"
        return "allow" not in of_scope.values()


def load(connection: Connection, book: str, source: str) -> Door:
    """Return the rules of a source."""
    rules: dict[str, dict[str, Rule]] = {}
    for row in connection.execute(_RULES, {"book": book, "source": source}):
        rules.setdefault(row.scope, {})[row.external_id] = row.rule
    return Door(rules)


def keep_out(connection: Connection, stated: Iterable[Statement], now: datetime) -> None:
    """Keep the newest statement about each thing that a rule keeps out."""
    newest: dict[tuple[str, str], Statement] = {}
    for each in stated:
        key = (each.record.record_type.value, each.record.external_id)
        if key not in newest or newest[key].order.value <= each.order.value:
            newest[key] = each
    rows = [_row(newest[key]) for key in sorted(newest)]
    if rows:
        bulk(connection, _KEEP_OUT, rows, now=now)


def let_in(connection: Connection, name: SourceKey) -> list[Statement]:
    """Take out and return what no rule keeps out any more, to be accepted by the caller."""
    door = load(connection, name.book, name.source)
    freed = [each for each in _kept(connection, name, None, _ALL) if door.permits(each.record)]
    by_type: dict[RecordType, list[str]] = {}
    for each in freed:
        by_type.setdefault(each.record.record_type, []).append(each.record.external_id)
    for record_type in sorted(by_type):
        values = {"book": name.book, "source": name.source, "record_type": record_type.value}
        connection.execute(_LET_IN, {**values, "ids": by_type[record_type]})
    return freed


def set_rule(
    connection: Connection,
    name: SourceKey,
    scope: str,
    ids: Sequence[str],
    rule: Rule | None,
    *,
    note: str | None,
    actor: str,
    now: datetime,
) -> None:
    """Allow or block things, or leave them to the general rule again (None)."""
    for external_id in ids:
        values = {"book": name.book, "source": name.source, "scope": scope}
        values["external_id"] = external_id
        if rule is None:
            connection.execute(_REMOVE, values)
        else:
            more = {"rule": rule, "note": note, "now": now, "actor": actor}
            connection.execute(_SET, {**values, **more})
    audit.write(
        connection,
        actor=actor,
        action=f"intake_rule.{rule or 'removed'}",
        subject=f"{name.book}/{name.source}",
        book=name.book,
        detail={"scope": scope, "ids": list(ids), "note": note},
    )


def listed(connection: Connection, name: SourceKey) -> list[dict[str, Any]]:
    """Return the rules of a source, with how much each keeps out."""
    rows = connection.execute(_LIST_RULES, {"book": name.book, "source": name.source})
    return [dict(row) for row in rows.mappings()]


def kept_out(
    connection: Connection, name: SourceKey, scope: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return what rules keep out of a source, as far as it has been stated."""
    return [
        {
            "scope": scope_of(each.record),
            "external_id": each.record.external_id,
            "name": getattr(each.record, "name", None),
            "raw_ref": each.raw_ref,
            "as_of": each.as_of,
        }
        for each in _kept(connection, name, scope, limit)
    ]


def _kept(
    connection: Connection, name: SourceKey, scope: str | None, limit: int
) -> list[Statement]:
    values = {"book": name.book, "source": name.source, "scope": scope, "limit": limit}
    return [
        Statement(
            book=name.book,
            source=name.source,
            record=RECORD_MODELS[RecordType(row["record_type"])].model_validate(row["state"]),
            raw_ref=row["raw_ref"],
            as_of=row["as_of"],
            order_key=OrderKey(OrderKind(row["order_kind"]), row["order_key"]),
        )
        for row in connection.execute(_KEPT_OUT, values).mappings()
    ]


def _row(stated: Statement) -> dict[str, Any]:
    return {
        "book": stated.book,
        "source": stated.source,
        "scope": scope_of(stated.record),
        "external_id": stated.record.external_id,
        "record_type": stated.record.record_type.value,
        "state": stated.record.model_dump(mode="json", exclude_defaults=True),
        "raw_ref": stated.raw_ref,
        "as_of": stated.as_of,
        "order_kind": stated.order.kind.value,
        "order_key": stated.order.value,
    }
