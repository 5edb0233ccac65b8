"""Balances that are left in one currency alone, and the entry that clears them.

A payment is never adjusted for them: what is left gets an entry of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.currencies.payments import Party, Side
from hourbridge.common.book import AccountRole
from hourbridge.common.messages.events import Posting

_NOTHING = Decimal(0)
_ITEMS = {"receivable": AccountRole.RECEIVABLE, "payable": AccountRole.PAYABLE}


@dataclass(frozen=True)
class Residue:
    """What is left of an item in one currency alone."""

    amount: Decimal
    """In the item's currency; zero where only the book's is left."""
    base_amount: Decimal

    @property
    def size(self) -> Decimal:
        """Return how much is left, in the currency in which it is."""
        return abs(self.amount or self.base_amount)


def residue_of(open_amount: Decimal, open_base: Decimal) -> Residue | None:
    """Return the residue of an item, None where both currencies are open, or neither."""
    if (open_amount == 0) == (open_base == 0):
        return None
    return Residue(open_amount, open_base)


def clearing_postings(residue: Residue, *, side: Side, party: Party) -> tuple[Posting, ...]:
    """Return the double entry that takes a residue off its item.

    What is left in the book's currency is a realized difference of rates; foreign money that is
    carried at nothing was rounded away.
    """
    sign = 1 if side == "receivable" else -1
    other = AccountRole.ROUNDING if residue.amount else AccountRole.FX_REALIZED
    amount, base = sign * residue.amount, sign * residue.base_amount
    item = Posting(
        role=_ITEMS[side],
        amount=-amount,
        base_amount=-base,
        client=party.client,
        customer=party.customer,
        vendor=party.vendor,
    )
    return (item, Posting(role=other, amount=amount, base_amount=base, client=party.client))
