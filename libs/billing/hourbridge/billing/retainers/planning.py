"""What a retainer pays for: invoices in the order of their dates, never above either side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hourbridge.billing.retainers.lots import (
    NOTHING,
    Lot,
    LotPart,
    Movement,
    MovementKind,
    balance,
    take,
    what_stands,
)
from hourbridge.common.book import RetainerPolicy


@dataclass(frozen=True)
class OpenInvoice:
    """An invoice as far as it can still be paid."""

    document_id: str
    number: str
    document_date: date
    total: Decimal
    credited: Decimal
    """What credit memos take back, also those on their way."""
    credited_for_good: Decimal
    """What posted credit memos took back."""
    paid: Decimal
    """What settled it otherwise than from this retainer."""
    applied: Decimal
    """What this retainer paid of it so far, less what came back."""
    is_underway: bool = False
    """On its way to the ledger; it is there before anything is applied to it or to later ones."""

    @property
    def open_amount(self) -> Decimal:
        """Return how much can still be paid."""
        return max(self.total - self.credited - self.paid - self.applied, NOTHING)

    @property
    def overpaid(self) -> Decimal:
        """Return how much of the retainer's money pays for what was credited since."""
        settled = self.applied + self.paid + self.credited_for_good
        return min(self.applied, max(settled - self.total, NOTHING))

    @property
    def order(self) -> tuple[date, int, str]:
        """Return what decides which of two invoices is paid first: its date, then its number."""
        prefix, _, count = self.number.rpartition("-")
        return (self.document_date, int(count) if count.isdecimal() else 0, prefix or self.number)


@dataclass(frozen=True)
class Application:
    """Money of some lots for one invoice, on a day."""

    invoice: OpenInvoice
    parts: tuple[LotPart, ...]
    day: date

    @property
    def amount(self) -> Decimal:
        """Return how much is applied."""
        return sum((part.amount for part in self.parts), NOTHING)


@dataclass(frozen=True)
class Return:
    """Money that comes back from an invoice which was credited after it was paid."""

    invoice: OpenInvoice
    application: Movement
    amount: Decimal


def plan_applications(
    lots: Sequence[Lot], invoices: Iterable[OpenInvoice], base_currency: str
) -> list[Application]:
    """Return what the balance pays of the open invoices, the earliest first.

    An invoice that is on its way to the ledger holds back itself and every later one: which
    invoice gets the money must not depend on which one arrives first.
    """
    left = list(lots)
    planned: list[Application] = []
    for invoice in sorted(invoices, key=lambda invoice: invoice.order):
        if invoice.is_underway:
            break
        amount = min(invoice.open_amount, balance(left))
        if amount > 0:
            applied = apply_to(invoice, left, amount, base_currency)
            left = without(left, applied.parts)
            planned.append(applied)
    return planned


def apply_to(
    invoice: OpenInvoice,
    lots: Sequence[Lot],
    amount: Decimal,
    base_currency: str,
    not_before: date | None = None,
) -> Application:
    """Return the application of ``amount``, on the first day on which both sides are there."""
    parts = take(lots, amount, base_currency)
    used = {part.lot_id for part in parts}
    days = [lot.available_from for lot in lots if lot.lot_id in used]
    day = max([invoice.document_date, *days, *([not_before] if not_before else [])])
    return Application(invoice, parts, day)


def without(lots: Iterable[Lot], parts: Iterable[LotPart]) -> list[Lot]:
    """Return the lots without some parts of them."""
    taken = {part.lot_id: part for part in parts}
    left = []
    for lot in lots:
        part = taken.get(lot.lot_id)
        if part is not None:
            amount, base = lot.amount - part.amount, lot.base_amount - part.base_amount
            lot = replace(lot, amount=amount, base_amount=base)
        if lot.amount:
            left.append(lot)
    return left


def plan_returns(
    invoices: Iterable[OpenInvoice], applications: Mapping[str, Sequence[Movement]]
) -> list[Return]:
    """Return what comes back to the retainer; the last application gives back first.

    ``applications`` are all movements of an invoice (by its document id) in their order,
    returns included.
    """
    planned = []
    for invoice in sorted(invoices, key=lambda invoice: invoice.order):
        excess = invoice.overpaid
        movements = applications.get(invoice.document_id, ())
        for movement in reversed(movements):
            if excess <= 0:
                break
            if movement.kind is not MovementKind.APPLICATION or movement.reverses is not None:
                continue
            standing = sum((part.amount for part in what_stands(movement, movements)), NOTHING)
            amount = min(standing, excess)
            if amount > 0:
                planned.append(Return(invoice, movement, amount))
                excess -= amount
    return planned


def top_up_needed(held: Decimal, policy: RetainerPolicy) -> Decimal | None:
    """Return what to ask the client for, None while the balance suffices."""
    if policy.top_up_below is None or policy.top_up_to is None or held >= policy.top_up_below:
        return None
    return policy.top_up_to - held
