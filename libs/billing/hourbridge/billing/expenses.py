"""What an expense cost, what the client pays for it, and which account each part goes through.

As an agent we only pass a cost on: it goes through a clearing account that ends at zero, and what
the client pays above it is revenue from markup. As a principal we resell: revenue and cost are both
shown in full (IFRS 15 B34-B38).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.common.book import AccountRole
from hourbridge.common.messages.events import Charge
from hourbridge.common.messages.records import Attachment
from hourbridge.common.money import EXACT, allocate, round_money

HUNDRED = Decimal(100)
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Cost:
    """What was spent: ``net`` is the firm's or the client's, ``tax`` comes back from the state."""

    net: Decimal
    tax: Decimal = NOTHING

    @property
    def gross(self) -> Decimal:
        """Return what is owed to whoever paid."""
        return self.net + self.tax


def cost_of(amount: Decimal, tax: Decimal | None, *, tax_included: bool, recoverable: bool) -> Cost:
    """Return the cost in a stated amount; tax that isn't recovered is part of the cost."""
    contained = tax or NOTHING
    gross = amount if tax_included else amount + contained
    return Cost(gross - contained, contained) if recoverable else Cost(gross)


def with_markup(cost: Decimal, percent: Decimal) -> Decimal:
    """Return ``cost`` and its markup, unrounded."""
    return EXACT.divide(EXACT.multiply(cost, EXACT.add(HUNDRED, percent)), HUNDRED)


def no_more_than(cost: Decimal, stated: Decimal | None) -> Decimal:
    """Return what a client pays who pays the cost and no more; refunds keep their sign."""
    return cost if stated is None else min(stated, cost, key=abs)


@dataclass(frozen=True)
class Resold:
    """What a client pays: the cost that is passed on, and what lies above it."""

    passed_on: Decimal
    markup: Decimal


def split_markup(amount: Decimal, cost: Decimal) -> Resold:
    """Return how much of the client's ``amount`` only passes ``cost`` on; the rest is markup."""
    is_like = (amount < 0) == (cost < 0)
    passed_on = min(amount, cost, key=abs) if is_like else NOTHING
    return Resold(passed_on, amount - passed_on)


def shared(
    total: Decimal, weights: Sequence[tuple[str, Decimal]], currency: str
) -> dict[str, Decimal]:
    """Split a cost over clients, to the minor unit, so that the parts sum to it exactly.

    Left-over units go to the largest remainders, ties to the first client by name.
    """
    return allocate(round_money(total, currency), weights, currency)


def role_of(charge: Charge) -> AccountRole | None:
    """Return the part that the account of a client's line plays; None for ordinary revenue.

    A charge whose cost is nothing is markup alone.
    """
    cost = charge.cost
    if charge.kind != "expense" or cost is None or cost.treatment == "principal":
        return None
    return AccountRole.REIMBURSABLE if cost.amount != 0 else AccountRole.MARKUP_REVENUE


def receipts_of(charges: Sequence[Charge]) -> tuple[Attachment, ...]:
    """Return the receipts of a document's charges, each once, in their order."""
    found = (receipt for c in charges if c.cost is not None for receipt in c.cost.receipts)
    return tuple({receipt.id: receipt for receipt in found}.values())


def stated_in(charge: Charge) -> str:
    """Return the currency of an expense's ``amount``: that of its cost until it is billed."""
    cost = charge.cost
    return charge.currency if cost is None or cost.exchange is not None else cost.currency
