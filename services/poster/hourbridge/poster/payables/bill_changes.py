"""What changed charges mean for a posted bill: a pure plan of differences, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from hourbridge.billing.payables import cost_identity, cost_price, held_back, payable_of, tax_of
from hourbridge.common.book import AccountRole
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.poster.documents import NewLine
from hourbridge.poster.line_store import BilledCharge
from hourbridge.poster.payables.bills import mirrored

_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Change:
    """How much more (or less) a line should be over than it stands for, corrections included."""

    line: DocumentLine
    amount: Decimal


@dataclass(frozen=True)
class BillPlan:
    """What has to happen to a bill."""

    changes: tuple[Change, ...]
    staying: tuple[BilledCharge, ...]
    leaving: tuple[BilledCharge, ...]
    standing: Decimal
    """What the bill stands for before anything is held back."""
    stated: Decimal
    """What it would stand for."""

    @property
    def total(self) -> Decimal:
        """Return by how much more is payable now."""
        return sum((change.amount for change in self.changes), _NOTHING)

    @property
    def changed(self) -> tuple[str, ...]:
        """Return the charges that say something else than the bill does."""
        moved = {c.charge_id for c in self.leaving}
        moved |= {c.charge_id for c in self.staying if c.billed != c.now}
        return tuple(sorted(moved))


@dataclass(frozen=True)
class Standing:
    """What stands of a bill, and what of its hold-back was released already."""

    document: Document
    amounts: Mapping[str, Decimal]
    """By line, with the sign in which they add to what we owe, corrections included."""
    released: Mapping[str, Decimal]
    """By hold-back line."""


def plan_bill(standing: Standing, charges: Mapping[str, Sequence[BilledCharge]]) -> BillPlan:
    """Return the differences between what a bill stands for and what its charges say now.

    Recovered tax and the hold-back are computed over the bill as a whole, so that its last
    correction takes whatever roundings left. What was released is not held back again.
    """
    document, amounts = standing.document, standing.amounts
    staying = tuple(c for group in charges.values() for c in group if _stays(c))
    leaving = tuple(c for group in charges.values() for c in group if not _stays(c))
    due: dict[str, Decimal] = {}
    percents: dict[Decimal, Decimal] = {}
    for line in document.lines:
        if line.line_id not in charges:
            continue
        now = [c.now for c in charges[line.line_id] if _stays(c)]
        due[line.line_id] = cost_price(now).amount
        percent = payable_of(charges[line.line_id][0].billed).holdback_percent
        percents[percent] = percents.get(percent, _NOTHING) + due[line.line_id]
    kept = [c.now for c in staying]
    for line in document.lines:
        if line.role is AccountRole.INPUT_TAX:
            due[line.line_id] = tax_of(kept, document.currency)
        elif line.role is AccountRole.RETAINAGE_PAYABLE:
            held = _held(document, line, percents)
            due[line.line_id] = -max(held, standing.released.get(line.line_id, _NOTHING))
    changes = [
        Change(line, due[line.line_id] - amounts.get(line.line_id, _NOTHING))
        for line in document.lines
        if line.line_id in due
    ]
    return BillPlan(
        changes=tuple(change for change in changes if change.amount),
        staying=staying,
        leaving=leaving,
        standing=_gross(document, amounts),
        stated=_gross(document, {**amounts, **due}),
    )


def plan_in_full(standing: Standing, charges: Mapping[str, Sequence[BilledCharge]]) -> BillPlan:
    """Return what takes a bill back whole, but for hold-back that was released already."""
    amounts = standing.amounts
    changes = []
    for line in standing.document.lines:
        kept = -standing.released.get(line.line_id, _NOTHING)
        changes.append(Change(line, kept - amounts.get(line.line_id, _NOTHING)))
    return BillPlan(
        changes=tuple(change for change in changes if change.amount),
        staying=(),
        leaving=tuple(c for group in charges.values() for c in group),
        standing=_gross(standing.document, amounts),
        stated=_NOTHING,
    )


def correcting_bill(
    standing: Standing, plan: BillPlan, *, number: str, day: date
) -> tuple[Document, tuple[NewLine, ...]]:
    """Return the document that makes up for a bill's differences: a credit, or a further bill."""
    document = standing.document
    is_credit = plan.total < 0
    content = [f"{change.line.line_id}:{change.amount}" for change in plan.changes]
    document_id = derive_id("bill correction", document.document_id, number, *content)
    dated = max(day, document.document_date)
    lines = [
        _correction(change, document, document_id, position, is_credit=is_credit)
        for position, change in enumerate(plan.changes, start=1)
    ]
    made = document.model_copy(
        update={
            "document_id": document_id,
            "version": 1,
            "kind": DocumentKind.VENDOR_CREDIT if is_credit else DocumentKind.VENDOR_BILL,
            "status": DocumentStatus.POSTING,
            "number": number,
            "vendor_bill_number": None,
            "generation": 1,
            "document_date": dated,
            "due_date": None if is_credit else _due(document, dated),
            "memo": f"{'Credit' if is_credit else 'Addition'} to {_named(document)}",
            "lines": tuple(line.line for line in lines),
            "total": abs(plan.total),
            "credits_document_id": document.document_id if is_credit else None,
            "exchange": document.exchange if is_credit else None,
            "base_total": None,
            "attachments": (),
            "posted": None,
            "reason": None,
        }
    )
    return made, tuple(lines)


def changed_facts(plan: BillPlan) -> list[Charge]:
    """Return what the changed charges of a bill say now; those that are gone say nothing."""
    changed = set(plan.changed)
    everything = (*plan.staying, *plan.leaving)
    return [c.now for c in everything if c.charge_id in changed and not c.is_withdrawn]


def _correction(
    change: Change, document: Document, document_id: str, position: int, *, is_credit: bool
) -> NewLine:
    reference = "credits_line_id" if is_credit else "supplements_line_id"
    line = change.line.model_copy(
        update={
            "line_id": derive_id("line", document_id, change.line.line_id),
            "position": position,
            "description": f"{'Credit' if is_credit else 'Addition'} to {_named(document)}: "
            f"{change.line.description}"[:4000],
            "quantity": Decimal(1),
            "unit_price": change.amount,
            "amount": change.amount,
            "worked_seconds": 0,
            "charge_ids": (),
            "base_amount": None,
            "roundings": (),
            reference: change.line.line_id,
        }
    )
    new = NewLine(line, amount=change.amount, seconds=0)
    return mirrored(new) if is_credit else new


def _named(document: Document) -> str:
    return document.vendor_bill_number or document.number


def _due(document: Document, day: date) -> date | None:
    if document.due_date is None:
        return None
    term: timedelta = document.due_date - document.document_date
    return day + term


def _held(document: Document, line: DocumentLine, percents: Mapping[Decimal, Decimal]) -> Decimal:
    """Return what a hold-back line should hold: its share of the work it was made for."""
    for percent, amount in percents.items():
        key = f"holdback {percent.normalize():f}"
        if derive_id("line", document.document_id, key) == line.line_id:
            return held_back(amount, percent, document.currency)
    return _NOTHING


def _gross(document: Document, amounts: Mapping[str, Decimal]) -> Decimal:
    kept = (
        amounts.get(line.line_id, _NOTHING)
        for line in document.lines
        if line.role is not AccountRole.RETAINAGE_PAYABLE
    )
    return sum(kept, _NOTHING)


def _stays(charge: BilledCharge) -> bool:
    return not charge.is_withdrawn and cost_identity(charge.billed) == cost_identity(charge.now)
