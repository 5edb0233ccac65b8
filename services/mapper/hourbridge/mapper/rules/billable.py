"""Whether the client pays, and for how many seconds."""

from __future__ import annotations

from collections.abc import Iterable

from hourbridge.common.book import BillablePolicy, Workflow
from hourbridge.common.messages.events import Reason
from hourbridge.common.messages.records import (
    Approval,
    ApprovalState,
    BillableState,
    TimeEntry,
)
from hourbridge.mapper.rules.outcome import parked, skipped

_APPROVED = (ApprovalState.APPROVED, ApprovalState.NOT_REQUIRED)
# Members of an enumeration, looked up once: each look takes a hundredth of what mapping takes.
_NON_BILLABLE_WORK, _UNKNOWN = Workflow.NON_BILLABLE, BillableState.UNKNOWN
_UNPAID = (BillableState.NON_BILLABLE, BillableState.NO_CHARGE)


def stated_unpaid(state: BillableState, stated_at: str | None) -> Reason | None:
    """Return why the source itself says that the client doesn't pay."""
    if state not in _UNPAID:
        return None
    where = f" by its {stated_at}" if stated_at else ""
    return skipped("non_billable", f"the source says {state.value}{where}")


def not_approved(policy: BillablePolicy, approval: Approval) -> Reason | None:
    """Return why a record is not yet to be charged."""
    if not policy.approved_only or approval.state in _APPROVED:
        return None
    detail = f"approval is {approval.state.value}"
    if approval.state is ApprovalState.UNKNOWN:
        detail += "; a source without approvals needs billable.approved_only: false"
    return skipped("not_approved", detail)


def unpaid_by_rule(
    state: BillableState,
    policy: BillablePolicy,
    workflow: Workflow | None,
    rules: Iterable[tuple[str, bool | None]],
) -> Reason | None:
    """Return why the configuration says that the client doesn't pay, or that it must say more.

    ``rules`` are named decisions, the most specific first. Any "not billable" suffices; a
    "billable" only answers where the source left it open.
    """
    if workflow is _NON_BILLABLE_WORK:
        return skipped("non_billable", "the engagement's workflow is non_billable")
    decisions = [(name, decision) for name, decision in rules if decision is not None]
    for name, decision in decisions:
        if not decision:
            return skipped("non_billable", f"the {name} rule says so")
    if state is not _UNKNOWN or decisions:
        return None
    if policy.unknown_state == "non_billable":
        return skipped("non_billable", "unstated by the source; the book takes that as no")
    if policy.unknown_state == "park":
        return parked(
            "billable_unknown", "the source doesn't say whether the client pays", "billable:state"
        )
    return None


def billable_seconds(entry: TimeEntry, policy: BillablePolicy) -> int:
    """Return what the client pays for, before rounding; may exceed the worked time (write-up)."""
    if policy.hours == "input" or entry.billable is None:
        return entry.input.seconds
    return entry.billable.seconds
