"""Charge sets and charges in PostgreSQL: a few statements per batch, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.grouping import group_keys
from hourbridge.billing.payables import GROUPING, payable_keys
from hourbridge.common.messages.events import Charge, ChargeSetChanged
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster.charge_sets import ChargeState, Decision, HeldCharge, decide

# A row that was there has been locked by this transaction before it was updated: xmax says so.
_UPSERT_SETS = statement(
    """
    INSERT INTO charge_set AS s (record_id, book, record_type, source, record_revision,
        mapping_version, outcome, reasons, accepted_at)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        record_id text, book text, record_type text, source text, record_revision bigint,
        mapping_version integer, outcome text, reasons jsonb, accepted_at timestamptz)
    ON CONFLICT (record_id) DO UPDATE SET
        record_revision = excluded.record_revision, mapping_version = excluded.mapping_version,
        outcome = excluded.outcome, reasons = excluded.reasons,
        accepted_at = excluded.accepted_at, waiting = NULL
    WHERE (s.record_revision, s.mapping_version)
        < (excluded.record_revision, excluded.mapping_version)
    RETURNING record_id, xmax <> 0 AS is_known
    """
)
_LOCK = statement(
    "SELECT charge_id FROM charge WHERE record_id = ANY(:records) ORDER BY charge_id FOR UPDATE"
)
# Read after the lock was taken: what was billed while we waited must be seen.
_HELD = statement(
    """
    SELECT c.record_id, c.charge_id, c.state, b.record_revision AS billed_revision, l.document_id,
        coalesce(d.status NOT IN ('draft', 'parked') OR d.payload ? 'posted', false) AS is_posted,
        c.grouping = 'payable' AS is_payable
    FROM charge c
    LEFT JOIN line_charge b ON b.charge_id = c.charge_id AND b.is_live
    LEFT JOIN document_line l ON l.line_id = b.line_id
    LEFT JOIN document d ON d.document_id = l.document_id
    WHERE c.record_id = ANY(:records)
    """
)
# A line shares its charge's content until that changes: most charges never do once billed.
_KEEP_BILLED = statement(
    """
    UPDATE line_charge b SET billed = c.payload FROM charge c
    WHERE c.charge_id = b.charge_id AND b.charge_id = ANY(:charges) AND b.is_live
        AND b.billed IS NULL
    """
)
_UPSERT_CHARGES = statement(
    """
    INSERT INTO charge (charge_id, record_id, book, engagement_key, group_key, grouping,
        automatic, client, project, work_date, record_revision, mapping_version, state,
        changed_at, payload)
    SELECT charge_id, record_id, book, engagement_key, group_key, grouping, automatic, client,
        project, work_date, record_revision, mapping_version, state, :now, payload
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        charge_id text, record_id text, book text, engagement_key text, group_key text,
        grouping text, automatic boolean, client text, project text, work_date date,
        record_revision bigint, mapping_version integer, state text, payload text)
    ON CONFLICT (charge_id) DO UPDATE SET
        engagement_key = excluded.engagement_key, group_key = excluded.group_key,
        grouping = excluded.grouping, automatic = excluded.automatic, client = excluded.client,
        project = excluded.project, work_date = excluded.work_date,
        record_revision = excluded.record_revision, mapping_version = excluded.mapping_version,
        state = excluded.state, changed_at = excluded.changed_at, leakage = NULL,
        payload = excluded.payload
    """
)
_KEEP_WAITING = statement(
    """
    UPDATE charge_set s SET waiting = r.waiting
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(record_id text, waiting text)
    WHERE s.record_id = r.record_id
    """
)
_WAITING = statement(
    """
    SELECT DISTINCT s.record_id, s.book, s.waiting FROM charge_set s
    JOIN charge c ON c.record_id = s.record_id
    WHERE c.charge_id = ANY(:charges) AND s.waiting IS NOT NULL ORDER BY s.record_id
    """
)
_TAKEN_UP = statement("UPDATE charge_set SET waiting = NULL WHERE record_id = ANY(:records)")
_WITHDRAW = statement(
    "UPDATE charge SET state = 'withdrawn', changed_at = :now WHERE charge_id = ANY(:charges)"
)
_DROP = statement("DELETE FROM charge WHERE charge_id = ANY(:charges)")
_REQUEST = statement(
    """
    INSERT INTO correction_request (document_id, available_at)
    SELECT document_id, :now FROM unnest(CAST(:documents AS text[])) AS document_id
    """
)


def replace_sets(
    connection: Connection, sets: Sequence[tuple[str, ChargeSetChanged]]
) -> dict[str, bool]:
    """Store the newest set per record, sorted.

    Returns the records for which one was newer, and of each whether it had a set before: only
    then can it have charges.
    """
    rows = [_set_row(book, changed) for book, changed in sets]
    return {row.record_id: row.is_known for row in bulk(connection, _UPSERT_SETS, rows)}


def lock_held(connection: Connection, records: Sequence[str]) -> dict[str, list[HeldCharge]]:
    """Lock and return the stored charges of ``records``, by record."""
    held: dict[str, list[HeldCharge]] = {}
    if not records or not connection.execute(_LOCK, {"records": list(records)}).first():
        return held
    for row in connection.execute(_HELD, {"records": list(records)}).mappings():
        charge = HeldCharge(**{name: row[name] for name in row if name != "record_id"})
        held.setdefault(row["record_id"], []).append(charge)
    return held


def apply_decisions(
    connection: Connection,
    decisions: Sequence[tuple[str, ChargeSetChanged, Decision]],
    now: datetime,
) -> None:
    """Write what was decided for all records of a batch."""
    rows = [
        _charge_row(book, changed, charge, state)
        for book, changed, decision in decisions
        for charge, state in decision.written
    ]
    _execute_for(
        connection, _KEEP_BILLED, [row["charge_id"] for row in rows if row["state"] == "billed"]
    )
    if rows:
        bulk(connection, _UPSERT_CHARGES, rows, now=now)
    _keep_waiting(connection, [changed for _, changed, d in decisions if d.is_settled])
    everything = [decision for _, _, decision in decisions]
    _execute_for(connection, _WITHDRAW, [c for d in everything for c in d.withdrawn], now=now)
    _execute_for(connection, _DROP, [c for d in everything for c in d.dropped])
    documents = sorted({document for d in everything for document in d.corrections})
    if documents:
        connection.execute(_REQUEST, {"documents": documents, "now": now})


def take_up_waiting(connection: Connection, charges: Sequence[str], now: datetime) -> None:
    """Let newer mappings of charges that were posted and no longer are hold for them now."""
    if not charges:
        return
    waiting = connection.execute(_WAITING, {"charges": list(charges)}).all()
    held = lock_held(connection, [row.record_id for row in waiting])
    decisions = []
    for row in waiting:
        changed = ChargeSetChanged.model_validate_json(row.waiting)
        decisions.append((row.book, changed, decide(changed, held.get(row.record_id, ()))))
    apply_decisions(connection, decisions, now)
    done = [changed.record_id for _, changed, decision in decisions if not decision.is_settled]
    if done:
        connection.execute(_TAKEN_UP, {"records": done})


def _keep_waiting(connection: Connection, settled: Sequence[ChargeSetChanged]) -> None:
    rows = [
        {"record_id": each.record_id, "waiting": each.model_dump_json(exclude_none=True)}
        for each in settled
    ]
    if rows:
        bulk(connection, _KEEP_WAITING, rows)


def _execute_for(connection: Connection, sql: Any, charges: list[str], **more: Any) -> None:
    if charges:
        connection.execute(sql, {"charges": charges, **more})


def _set_row(book: str, changed: ChargeSetChanged) -> Mapping[str, Any]:
    return {
        "record_id": changed.record_id,
        "book": book,
        "record_type": changed.record_type,
        "source": changed.source,
        "record_revision": changed.record_revision,
        "mapping_version": changed.mapping_version,
        "outcome": changed.outcome,
        "reasons": changed.reasons,
        "accepted_at": changed.accepted_at,
    }


def _charge_row(
    book: str, changed: ChargeSetChanged, charge: Charge, state: ChargeState
) -> dict[str, Any]:
    is_payable = charge.payable is not None
    keys = payable_keys(charge) if is_payable else group_keys(charge, changed.record_id)
    return {
        "charge_id": charge.charge_id,
        "record_id": changed.record_id,
        "book": book,
        "engagement_key": keys.engagement,
        "group_key": keys.group,
        "grouping": GROUPING if is_payable else charge.invoicing.grouping,
        "automatic": charge.invoicing.automatic,
        "client": charge.client,
        "project": charge.project,
        "work_date": charge.work_date,
        "record_revision": changed.record_revision,
        "mapping_version": changed.mapping_version,
        "state": state,
        "payload": charge.model_dump_json(exclude_none=True),
    }
