"""What the movements of a retainer do to the accounts, in both currencies.

Receipt Dr bank / Cr deposits. Application Dr deposits / Cr receivable. Refund Dr deposits /
Cr bank. Forfeit Dr deposits / Cr forfeited revenue. Money leaves the deposits account at the base
amount at which it came in. Where the other side is carried at another one, the difference is an
exchange difference, except for a non-refundable advance: that was never monetary, so the part of
an invoice that it pays is revenue at the rate of the day on which the client paid (IFRIC 22).

Ledgers keep one rate per entry and find exchange differences of receivables themselves. So what a
movement does to other accounts in the book's currency alone is an entry of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from hourbridge.billing.retainers.lots import NOTHING, LotPart
from hourbridge.common.book import AccountRole, LedgerReference
from hourbridge.common.messages.events import Posting
from hourbridge.common.money import allocate

RetainerKind = Literal["standard", "trust", "non_refundable"]
_DEPOSITS = AccountRole.CUSTOMER_DEPOSITS


@dataclass(frozen=True)
class MovementPostings:
    """What a movement does: in the retainer's currency, and beside it in the book's alone."""

    own: tuple[Posting, ...]
    in_base: tuple[Posting, ...] = ()

    def mirrored(self) -> MovementPostings:
        """Return what takes the movement back."""
        return MovementPostings(mirrored(self.own), mirrored(self.in_base))


class Books:
    """Makes the postings of one client's retainer."""

    def __init__(
        self,
        kind: RetainerKind,
        base_currency: str,
        *,
        client: str,
        customer: LedgerReference | None,
    ) -> None:
        self._kind = kind
        self._base_currency = base_currency
        self._client = client
        self._customer = customer

    @property
    def bank(self) -> AccountRole:
        """Return where the retainer's money lies: trust money never in the firm's own account."""
        return AccountRole.TRUST_BANK if self._kind == "trust" else AccountRole.BANK

    def receipt(self, amount: Decimal, base: Decimal) -> MovementPostings:
        """Return the postings of money received."""
        money = self._on(self.bank, amount, base)
        return MovementPostings((money, self._on(_DEPOSITS, -amount, -base)))

    def opening(self, amount: Decimal, base: Decimal) -> MovementPostings:
        """Return the postings of a balance that is taken over from other books."""
        equity = self._on(AccountRole.OPENING_BALANCES, amount, base)
        return MovementPostings((equity, self._on(_DEPOSITS, -amount, -base)))

    def application(
        self, parts: Sequence[LotPart], receivable_base: Decimal, invoice_date: date
    ) -> MovementPostings:
        """Return the postings of paying an invoice, whose amount is carried at that base.

        Trust money is earned now: it moves to the firm's own account with the same entry.
        """
        amount, base = _sums(parts)
        postings = [
            self._on(_DEPOSITS, amount, base),
            self._on(AccountRole.RECEIVABLE, -amount, -receivable_base),
        ]
        if base != receivable_base:
            gained = receivable_base - base
            postings.append(self._on(AccountRole.FX_REALIZED, NOTHING, gained))
        if self._kind == "trust":
            postings.append(self._on(AccountRole.BANK, amount, base))
            postings.append(self._on(AccountRole.TRUST_BANK, -amount, -base))
        earned = self._earned(parts, receivable_base, invoice_date)
        return MovementPostings(
            tuple(postings), self._in_base(AccountRole.FX_REALIZED, AccountRole.REVENUE, earned)
        )

    def refund(self, parts: Sequence[LotPart], paid_base: Decimal) -> MovementPostings:
        """Return the postings of money paid back, worth ``paid_base`` on that day."""
        return self._out(parts, self.bank, paid_base)

    def forfeit(self, parts: Sequence[LotPart], earned_base: Decimal) -> MovementPostings:
        """Return the postings of money that the client gave up, worth ``earned_base``."""
        return self._out(parts, AccountRole.FORFEITED_REVENUE, earned_base)

    def _out(
        self, parts: Sequence[LotPart], role: AccountRole, other_base: Decimal
    ) -> MovementPostings:
        """Return what leaves at the day's rate; the rest of its carrying is an exchange result."""
        amount, base = _sums(parts)
        return MovementPostings(
            (self._on(_DEPOSITS, amount, other_base), self._on(role, -amount, -other_base)),
            self._in_base(_DEPOSITS, AccountRole.FX_REALIZED, base - other_base),
        )

    def _earned(
        self, parts: Sequence[LotPart], receivable_base: Decimal, invoice_date: date
    ) -> Decimal:
        """Return how much more revenue the advances among the parts are than the invoice says.

        An advance is one only if it was there when the invoice was made; later money is a payment.
        """
        if self._kind != "non_refundable":
            return NOTHING
        weights = [(part.lot_id, part.amount) for part in parts]
        carried = allocate(receivable_base, weights, self._base_currency)
        advances = [part for part in parts if part.received_on <= invoice_date]
        return sum((part.base_amount - carried[part.lot_id] for part in advances), NOTHING)

    def _in_base(
        self, debit: AccountRole, credit: AccountRole, base: Decimal
    ) -> tuple[Posting, ...]:
        """Return an entry in the book's currency, none for nothing.

        It names no customer: in a ledger a customer has one currency.
        """
        if not base:
            return ()
        sides = (self._on(debit, base, base), self._on(credit, -base, -base))
        return tuple(posting.model_copy(update={"customer": None}) for posting in sides)

    def _on(self, role: AccountRole, amount: Decimal, base: Decimal) -> Posting:
        return Posting(
            role=role,
            amount=amount,
            base_amount=base,
            client=self._client,
            customer=self._customer,
        )


def mirrored(postings: Sequence[Posting]) -> tuple[Posting, ...]:
    """Return the postings that take others back."""
    return tuple(
        posting.model_copy(update={"amount": -posting.amount, "base_amount": -posting.base_amount})
        for posting in postings
    )


def _sums(parts: Sequence[LotPart]) -> tuple[Decimal, Decimal]:
    amount = sum((part.amount for part in parts), NOTHING)
    return amount, sum((part.base_amount for part in parts), NOTHING)
