"""Vendor bills: worked time at its cost, expenses at what was spent, less what is held back.

A vendor is paid for the time worked, exact to the second, whatever the client is billed; money is
rounded once per line. The hold-back is a share of the work on a bill, never of taxes or expenses:
it is owed, but not payable yet, so the bill's total is net of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.billing.basis import LineBasis
from hourbridge.billing.descriptions import clock_text
from hourbridge.billing.grouping import GroupKeys, ledger_key
from hourbridge.billing.increments import SECONDS_PER_HOUR, exact_hours
from hourbridge.billing.pricing import in_order
from hourbridge.common.book import AccountRole, RoundingPolicy
from hourbridge.common.calendar import Period, Term, period_of
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Charge, DocumentLine, PaidAtOnce, Payable
from hourbridge.common.money import EXACT, decimal_text, round_money

GROUPING = "payable"
"""What charges that we owe have for a grouping policy: invoicing passes them by."""
_EXACT_TIME = RoundingPolicy(increment_seconds=1)
_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)
_ONE = Decimal(1)
_CHARACTERS_MAX = 4000


def payable_of(charge: Charge) -> Payable:
    """Return whom a charge is owed to, and on which terms."""
    if charge.payable is None:
        raise InvariantViolated("the charge is no payable one", charge=charge.charge_id)
    return charge.payable


def payable_keys(charge: Charge) -> GroupKeys:
    """Return the vendor whose bills are made one at a time, and the bill that a charge is for.

    A bill gathers what has the same vendor, currency and terms: all of one number of the vendor's
    own, or of one expense report, or, where there is neither, all of one month. What was paid at
    once shares a purchase by its transaction.
    """
    owed = payable_of(charge)
    ledger = ledger_key(charge.ledger)
    if owed.paid is not None:
        return _purchase_keys(charge, owed.paid, ledger)
    bill = (
        owed.bill_number or "",
        owed.reason,
        str(owed.due_days),
        "when paid" if owed.pay_when_paid else "",
        *(() if owed.report is None else ("report", owed.report)),
    )
    return GroupKeys(
        derive_key("payable", ledger, owed.vendor.key),
        derive_key("bill", ledger, owed.vendor.key, charge.currency, *bill),
    )


def _purchase_keys(charge: Charge, paid: PaidAtOnce, ledger: str) -> GroupKeys:
    """Return the account that paid, and the purchase."""
    account = paid.account.key if paid.account else ""
    payee = f"{paid.payee} {payable_of(charge).vendor.key}"
    return GroupKeys(
        derive_key("purchases", ledger, paid.by, account),
        derive_key("purchase", ledger, paid.by, account, payee, charge.currency, paid.transaction),
    )


def bill_period(charge: Charge) -> Period | None:
    """Return the month whose work shares a bill; None where something else decides."""
    owed = payable_of(charge)
    if owed.bill_number is not None or owed.report is not None:
        return None
    if owed.paid is not None and owed.paid.transaction:
        return None
    return period_of(charge.work_date, Term.MONTH)


def bill_date(charges: Iterable[Charge]) -> date:
    """Return the date of a bill: the last day of the work or expenses on it."""
    return max(charge.work_date for charge in charges)


@dataclass(frozen=True)
class Price:
    """What charges of one line come to."""

    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    seconds: int = 0


@dataclass(frozen=True)
class BillLine:
    """A line of a bill before it has its place: a cost, recovered tax, or what is held back."""

    key: str
    role: AccountRole
    price: Price
    description: str
    charges: tuple[Charge, ...] = ()
    basis: LineBasis | None = None
    holdback_percent: Decimal = _NOTHING

    def to_document_line(self, line_id: str, position: int) -> DocumentLine:
        """Return the line as it stands on a document; accounts follow from the role."""
        first = self.charges[0] if self.charges else None
        return DocumentLine(
            line_id=line_id,
            position=position,
            description=self.description,
            item=first.item if first else None,
            account=first.account if first else None,
            class_ref=first.class_ref if first else None,
            service_date=self.charges[-1].work_date if self.charges else None,
            quantity=self.price.quantity,
            unit_price=self.price.unit_price,
            amount=self.price.amount,
            worked_seconds=self.price.seconds,
            client=(first.client or None) if first else None,
            project=first.project if first else None,
            charge_ids=tuple(charge.charge_id for charge in self.charges),
            role=self.role,
            cost=first.cost if first else None,
        )


def bill_lines(charges: Sequence[Charge]) -> tuple[BillLine, ...]:
    """Return the lines of a bill, whatever the order in which its charges arrived."""
    gathered: dict[str, list[Charge]] = {}
    for charge in in_order(charges):
        gathered.setdefault(_line_key(charge), []).append(charge)
    costs = [_cost_line(key, group) for key, group in gathered.items()]
    return (*costs, *_tax_lines(charges), *_holdback_lines(costs))


def cost_price(charges: Sequence[Charge]) -> Price:
    """Return what charges of one line cost now: time by its rate, expenses as spent."""
    if not charges:
        return Price(_NOTHING, _NOTHING, _NOTHING)
    first = charges[0]
    if first.kind == "expense":
        spent = sum((charge.amount or _NOTHING for charge in charges), _NOTHING)
        amount = round_money(spent, first.currency)
        return Price(_ONE, amount, amount)
    if first.cost_rate is None:
        raise InvariantViolated("payable time has no cost rate", charge=first.charge_id)
    seconds = sum(charge.worked_seconds for charge in charges)
    rate = first.cost_rate.amount
    exact = EXACT.divide(EXACT.multiply(Decimal(seconds), rate), SECONDS_PER_HOUR)
    return Price(exact_hours(seconds), rate, round_money(exact, first.currency), seconds)


def tax_of(charges: Iterable[Charge], currency: str) -> Decimal:
    """Return the tax in expenses that the state gives back, rounded once per bill."""
    taxes = (charge.cost.tax for charge in charges if charge.cost is not None and charge.cost.tax)
    return round_money(sum(taxes, _NOTHING), currency)


def held_back(amount: Decimal, percent: Decimal, currency: str) -> Decimal:
    """Return how much of ``amount`` is not payable before its release."""
    return round_money(EXACT.divide(EXACT.multiply(amount, percent), _HUNDRED), currency)


def cost_identity(charge: Charge) -> tuple[str, ...]:
    """Return what a charge must keep in order to stay on the line that bills it."""
    owed = payable_of(charge)
    rate = charge.cost_rate.amount.normalize() if charge.cost_rate else _NOTHING
    is_taxed = charge.cost is not None and bool(charge.cost.tax)
    return (
        payable_keys(charge).group,
        charge.customer.key,
        charge.job.key if charge.job else "",
        charge.item.key if charge.item else "",
        charge.account.key if charge.account else "",
        f"{rate:f}",
        f"{owed.holdback_percent.normalize():f}",
        cost_role(charge),
        "taxed" if is_taxed else "",
    )


def cost_role(charge: Charge) -> AccountRole:
    """Return the account that a cost goes to: clearing for what the client is billed as it is."""
    if charge.kind == "time":
        return AccountRole.SUBCONTRACTOR_COST
    is_passed_on = charge.cost is not None and charge.cost.treatment == "agent"
    return AccountRole.REIMBURSABLE if is_passed_on else AccountRole.EXPENSE


def released_base(
    held: Decimal, held_base: Decimal, before: Decimal, amount: Decimal, currency: str
) -> Decimal:
    """Return a release's amount in the book's currency, at the rate of the bill.

    Releases in parts sum to what was held, to the minor unit: each takes the difference of what is
    released after it and before it.
    """

    def base_of(released: Decimal) -> Decimal:
        exact = EXACT.divide(EXACT.multiply(held_base, released), held)
        return round_money(exact, currency)

    return base_of(before + amount) - base_of(before)


def _line_key(charge: Charge) -> str:
    """Expenses stand alone; hours of one person at one rate for one client share a line."""
    if charge.kind == "expense":
        return derive_key("cost", charge.charge_id)
    who = (charge.client, charge.project or "", charge.staff or "", charge.task or "")
    class_key = charge.class_ref.key if charge.class_ref else ""
    return derive_key("cost", *cost_identity(charge), *who, class_key)


def _cost_line(key: str, charges: Sequence[Charge]) -> BillLine:
    price, first = cost_price(charges), charges[0]
    return BillLine(
        key=key,
        role=cost_role(first),
        price=price,
        description=_description(charges, price),
        charges=tuple(charges),
        basis=_basis(first),
        holdback_percent=payable_of(first).holdback_percent,
    )


def _basis(charge: Charge) -> LineBasis:
    return LineBasis(
        kind=charge.kind,
        currency=charge.currency,
        rounding=_EXACT_TIME,
        rate=charge.cost_rate.amount if charge.cost_rate else None,
    )


def _description(charges: Sequence[Charge], price: Price) -> str:
    first = charges[0]
    if first.kind == "expense":
        what = first.description or first.task or "Expense"
        return f"{first.work_date} {what}"[:_CHARACTERS_MAX]
    where = " / ".join(part for part in (first.client, first.project) if part)
    text = " - ".join(part for part in (where, first.staff, first.task) if part)
    return f"{text[: _CHARACTERS_MAX - 30]} ({clock_text(price.seconds)} h)"


def _tax_lines(charges: Sequence[Charge]) -> list[BillLine]:
    tax = tax_of(charges, charges[0].currency)
    if tax == 0:
        return []
    return [BillLine("tax", AccountRole.INPUT_TAX, _one(tax), "Recoverable tax")]


def _holdback_lines(costs: Sequence[BillLine]) -> list[BillLine]:
    """Return a line for each percentage: what is held back of the work it holds for."""
    found = []
    for percent in sorted({line.holdback_percent for line in costs if line.holdback_percent}):
        members = [line for line in costs if line.holdback_percent == percent]
        amount = sum((line.price.amount for line in members), _NOTHING)
        held = held_back(amount, percent, members[0].charges[0].currency)
        if held:
            text = f"Hold-back {decimal_text(percent)}%"
            price = _one(-held)
            role = AccountRole.RETAINAGE_PAYABLE
            found.append(
                BillLine(
                    f"holdback {percent.normalize():f}", role, price, text, holdback_percent=percent
                )
            )
    return found


def _one(amount: Decimal) -> Price:
    return Price(_ONE, amount, amount)
