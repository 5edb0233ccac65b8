"""Accepted records as the reconciler keeps them: the newest revision of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hourbridge.common.clock import to_text
from hourbridge.common.messages.events import RecordAccepted
from hourbridge.common.messages.records import BillableState, Expense, Record, TimeEntry
from hourbridge.common.store.rows import Write, statement

_UPSERT = statement(
    """
    INSERT INTO seen_record
    SELECT book, record_id, source, record_type, revision, sequence, work_date, client, project,
           worked_seconds, billable_seconds, amount, currency, approval, billable_state, deleted,
           accepted_at, :seen_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, record_id text, source text, record_type text, revision bigint, sequence bigint,
        work_date date, client text, project text, worked_seconds bigint, billable_seconds bigint,
        amount numeric, currency text, approval text, billable_state text, deleted boolean,
        accepted_at timestamptz)
    ON CONFLICT (book, record_id) DO UPDATE SET
        source = excluded.source, record_type = excluded.record_type,
        revision = excluded.revision, sequence = excluded.sequence,
        work_date = excluded.work_date, client = excluded.client, project = excluded.project,
        worked_seconds = excluded.worked_seconds, billable_seconds = excluded.billable_seconds,
        amount = excluded.amount, currency = excluded.currency, approval = excluded.approval,
        billable_state = excluded.billable_state, deleted = excluded.deleted,
        accepted_at = excluded.accepted_at, seen_at = excluded.seen_at
    WHERE seen_record.revision < excluded.revision
    """
)
_UNPAID = (BillableState.NON_BILLABLE, BillableState.NO_CHARGE)
Accepted = tuple[str, RecordAccepted[Any]]


def keep_records(accepted: Iterable[Accepted]) -> list[Write]:
    """Keep the newest revision of each (book, record); older or equal ones change nothing.

    The statement's ``:seen_at`` is the present time.
    """
    newest: dict[tuple[str, str], RecordAccepted[Any]] = {}
    for book, record in accepted:
        held = newest.get((book, record.record_id))
        if held is None or held.revision < record.revision:
            newest[book, record.record_id] = record
    return [(_UPSERT, [_row(key[0], newest[key]) for key in sorted(newest)])]


def _row(book: str, accepted: RecordAccepted[Any]) -> dict[str, Any]:
    state: Record = accepted.state
    return {
        "book": book,
        "record_id": accepted.record_id,
        "source": accepted.source,
        "record_type": accepted.record_type,
        "revision": accepted.revision,
        "sequence": accepted.sequence,
        "deleted": state.deleted is not None,
        "accepted_at": to_text(accepted.accepted_at),
        **_facts(state),
    }


def _facts(state: Record) -> dict[str, Any]:
    """Return what only time and expenses have; master data has none of it."""
    if isinstance(state, TimeEntry):
        return {
            "work_date": state.work_date,
            "client": state.client_name or state.client_id,
            "project": state.project_name or state.project_id,
            "worked_seconds": state.input.seconds,
            "billable_seconds": _billable_seconds(state),
            "approval": state.approval.state,
            "billable_state": state.billable_state,
        }
    if isinstance(state, Expense):
        billable = state.amount_billable if state.amount_billable is not None else state.amount_in
        return {
            "work_date": state.expense_date,
            "client": state.client_name or state.client_id,
            "project": state.project_name or state.project_id,
            "amount": str(billable),
            "currency": state.currency,
            "approval": state.approval.state,
            "billable_state": state.billable_state,
        }
    return {}


def _billable_seconds(entry: TimeEntry) -> int:
    if entry.billable is not None:
        return entry.billable.seconds
    return 0 if entry.billable_state in _UNPAID else entry.input.seconds
