"""Numbers that other accounting systems publish in their own tests; numbers only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.billing.currencies.payments import Party, SettledPart, Side, payment_postings
from hourbridge.billing.currencies.revaluation import OpenBalance, gain_of, revalue
from hourbridge.billing.currencies.stamping import at_rate
from hourbridge.common.messages.events import ExchangeRateUsed, RateLeg
from tests.support.currencies import document, rate


def per_dollar(value: str) -> ExchangeRateUsed:
    """Return a rate as Tryton states it: foreign units per unit of the company's currency."""
    return rate("1", legs=(RateLeg(currency="EUR", value=Decimal(value)),))


def gain(amount: str, booked: ExchangeRateUsed, paid: ExchangeRateUsed, side: Side) -> Decimal:
    carried = base_amount(Decimal(amount), "EUR", booked)
    part = SettledPart("d1", "HB-1", Decimal(amount), carried)
    postings = payment_postings([part], side=side, currency="EUR", rate=paid, party=Party())
    return -sum((p.base_amount for p in postings if p.role == "fx_realized"), Decimal(0))


def test_trytons_invoice_that_is_paid_at_another_rate() -> None:
    """EUR 400 invoiced at 1.20 and paid at 1.10 per dollar: 333.33, then 363.64."""
    assert gain("400.00", per_dollar("1.20"), per_dollar("1.10"), "receivable") == Decimal("30.31")


def test_trytons_deposit_at_two_rates() -> None:
    """EUR 100 deposited at 1.20 is 83.33; at 1.10 it would be 90.91, 7.58 more."""
    assert base_amount(Decimal(100), "EUR", per_dollar("1.20")) == Decimal("83.33")
    balance = OpenBalance("d", "d", "deposit", "Acme", "EUR", Decimal(100), Decimal("83.33"))
    assert gain_of(revalue([balance], {"EUR": per_dollar("1.10")})) == Decimal("-7.58")


def test_trytons_move_whose_lines_dont_sum_up() -> None:
    """100.00 at 0.3 is 333.33; two halves would be 166.67 each, 333.34: ours share the total."""
    found = at_rate(document(["50.00", "50.00"]), per_dollar("0.3"))
    assert found.base_total == Decimal("333.33")
    assert [line.base_amount for line in found.lines] == [Decimal("166.67"), Decimal("166.66")]


def test_erpnexts_revaluation() -> None:
    """A foreign balance of 100 carried at 8,000 is worth 8,500 at 85."""
    balance = OpenBalance("d", "d", "receivable", "A", "USD", Decimal(100), Decimal(8000))
    found = revalue([balance], {"USD": rate("85", "INR")})
    assert gain_of(found) == Decimal(500)


@pytest.mark.parametrize(
    ("booked", "paid", "gained"),
    [(("1.1919", "0.8662"), ("1.1498", "0.86833"), "51.86")],
)
def test_a_debt_in_pounds_through_the_euro(
    booked: tuple[str, str], paid: tuple[str, str], gained: str
) -> None:
    def through_euro(dollars: str, pounds: str) -> ExchangeRateUsed:
        legs = (("USD", dollars), ("EUR", pounds))  # what is owed is called EUR here
        return rate("1", legs=[RateLeg(currency=c, value=Decimal(v)) for c, v in legs])

    assert gain("1000.00", through_euro(*booked), through_euro(*paid), "payable") == Decimal(gained)
