"""Charge sets as the reconciler keeps them: the newest set of each record, and its charges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hourbridge.common.clock import to_text
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Charge, ChargeSetChanged
from hourbridge.common.store.rows import Write, statement

_WALL_CLOCK_DURATION = "wall_clock_duration"
"""The mapper's warning that it took the time that passed for the source's difference of clocks."""
_UPSERT_SETS = statement(
    """
    INSERT INTO seen_charge_set
    SELECT book, record_id, source, record_type, revision, mapping_version, outcome, reason_code,
           waits_for, work_date, client, project, worked_seconds, billable_seconds, deleted,
           accepted_at, :seen_at, is_by_elapsed_time
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, record_id text, source text, record_type text, revision bigint,
        mapping_version bigint, outcome text, reason_code text, waits_for text, work_date date,
        client text, project text, worked_seconds bigint, billable_seconds bigint,
        deleted boolean, accepted_at timestamptz, is_by_elapsed_time boolean)
    ON CONFLICT (book, record_id) DO UPDATE SET
        source = excluded.source, record_type = excluded.record_type,
        revision = excluded.revision, mapping_version = excluded.mapping_version,
        outcome = excluded.outcome, reason_code = excluded.reason_code,
        waits_for = excluded.waits_for, work_date = excluded.work_date,
        client = excluded.client, project = excluded.project,
        worked_seconds = excluded.worked_seconds, billable_seconds = excluded.billable_seconds,
        deleted = excluded.deleted, accepted_at = excluded.accepted_at, seen_at = excluded.seen_at,
        is_by_elapsed_time = excluded.is_by_elapsed_time
    WHERE (seen_charge_set.revision, seen_charge_set.mapping_version)
        < (excluded.revision, excluded.mapping_version)
    """
)
_UPSERT_CHARGES = statement(
    """
    INSERT INTO seen_charge (book, charge_id, record_id, revision, mapping_version, kind, workflow,
        client, project, work_date, worked_seconds, billable_seconds, rate, amount, currency,
        flat_fee_amount, flat_fee_term, flat_fee_key, increment_seconds, minimum_seconds,
        rounding_mode, rounding_scope, grouping_policy, is_payable, write_down_reason, cost_rate)
    SELECT r.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, charge_id text, record_id text, revision bigint, mapping_version bigint,
        kind text, workflow text, client text, project text, work_date date,
        worked_seconds bigint, billable_seconds bigint, rate numeric, amount numeric,
        currency text, flat_fee_amount numeric, flat_fee_term text, flat_fee_key text,
        increment_seconds integer, minimum_seconds integer, rounding_mode text,
        rounding_scope text, grouping_policy text, is_payable boolean, write_down_reason text,
        cost_rate numeric)
    ON CONFLICT (book, charge_id) DO UPDATE SET
        record_id = excluded.record_id, revision = excluded.revision,
        mapping_version = excluded.mapping_version, kind = excluded.kind,
        workflow = excluded.workflow, client = excluded.client, project = excluded.project,
        work_date = excluded.work_date, worked_seconds = excluded.worked_seconds,
        billable_seconds = excluded.billable_seconds, rate = excluded.rate,
        amount = excluded.amount, currency = excluded.currency,
        flat_fee_amount = excluded.flat_fee_amount, flat_fee_term = excluded.flat_fee_term,
        flat_fee_key = excluded.flat_fee_key,
        increment_seconds = excluded.increment_seconds,
        minimum_seconds = excluded.minimum_seconds, rounding_mode = excluded.rounding_mode,
        rounding_scope = excluded.rounding_scope, grouping_policy = excluded.grouping_policy,
        is_payable = excluded.is_payable, write_down_reason = excluded.write_down_reason,
        cost_rate = excluded.cost_rate
    WHERE (seen_charge.revision, seen_charge.mapping_version)
        < (excluded.revision, excluded.mapping_version)
    """
)
Changed = tuple[str, ChargeSetChanged]


def keep_charge_sets(changed: Iterable[Changed]) -> list[Write]:
    """Keep the newest set of each (book, record); older or equal ones change nothing.

    The statements' ``:seen_at`` is the present time.
    """
    newest: dict[tuple[str, str], ChargeSetChanged] = {}
    for book, change in changed:
        held = newest.get((book, change.record_id))
        if held is None or _order(held) < _order(change):
            newest[book, change.record_id] = change
    ordered = [(key[0], newest[key]) for key in sorted(newest)]
    charges = [
        _charge_row(book, change, charge) for book, change in ordered for charge in change.charges
    ]
    charges.sort(key=lambda row: (row["book"], row["charge_id"]))
    return [(_UPSERT_SETS, [_set_row(*pair) for pair in ordered]), (_UPSERT_CHARGES, charges)]


def _order(change: ChargeSetChanged) -> tuple[int, int]:
    return change.record_revision, change.mapping_version


def _set_row(book: str, change: ChargeSetChanged) -> dict[str, Any]:
    reason = change.reasons[0] if change.reasons else None
    return {
        "book": book,
        "record_id": change.record_id,
        "source": change.source,
        "record_type": change.record_type,
        "revision": change.record_revision,
        "mapping_version": change.mapping_version,
        "outcome": change.outcome,
        "reason_code": reason.code if reason else None,
        "waits_for": reason.waits_for if reason else None,
        "work_date": change.work_date,
        "client": change.client,
        "project": change.project,
        "worked_seconds": change.worked_seconds,
        "billable_seconds": change.billable_seconds,
        "deleted": change.deleted,
        "accepted_at": to_text(change.accepted_at),
        "is_by_elapsed_time": any(
            _WALL_CLOCK_DURATION in (charge.warnings or ()) for charge in change.charges
        ),
    }


def _charge_row(book: str, change: ChargeSetChanged, charge: Charge) -> dict[str, Any]:
    fee = charge.flat_fee if charge.kind == "time" else None
    return {
        "book": book,
        "charge_id": charge.charge_id,
        "record_id": change.record_id,
        "revision": change.record_revision,
        "mapping_version": change.mapping_version,
        "kind": charge.kind,
        "workflow": charge.workflow,
        "client": charge.client,
        "project": charge.project,
        "work_date": charge.work_date,
        "worked_seconds": charge.worked_seconds,
        "billable_seconds": charge.billable_seconds,
        "rate": str(charge.rate.amount) if charge.rate else None,
        "amount": str(charge.amount) if charge.amount is not None else None,
        "currency": _currency(charge),
        "flat_fee_amount": str(fee.amount) if fee else None,
        "flat_fee_term": fee.term if fee else None,
        "flat_fee_key": _flat_fee_key(charge),
        "increment_seconds": charge.rounding.increment_seconds,
        "minimum_seconds": charge.rounding.minimum_seconds,
        "rounding_mode": charge.rounding.mode,
        "rounding_scope": charge.rounding.scope,
        "grouping_policy": charge.invoicing.grouping,
        "is_payable": charge.payable is not None,
        "write_down_reason": charge.write_down.reason if charge.write_down else None,
        "cost_rate": str(charge.cost_rate.amount) if charge.cost_rate else None,
    }


def _currency(charge: Charge) -> str:
    """Return the currency that rate and amount are in: a cost keeps its own until it is billed."""
    if charge.cost is not None and charge.cost.exchange is None:
        return charge.cost.currency
    return charge.rate.currency if charge.rate else charge.currency


def _flat_fee_key(charge: Charge) -> str | None:
    """Return who pays the fee once per term: the client, or one of its projects."""
    if charge.flat_fee is None or charge.kind != "time":
        return None
    project = (charge.project or "", charge.job.key if charge.job else "")
    scope = () if charge.flat_fee_scope == "client" else project
    return derive_key(charge.client, charge.customer.key, charge.currency, *scope)
