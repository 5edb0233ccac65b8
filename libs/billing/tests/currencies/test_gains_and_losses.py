"""What payments realize, what a month's end is worth, and what is left in one currency alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.currencies.payments import (
    Party,
    SettledPart,
    Side,
    payment_postings,
    reversed_postings,
)
from hourbridge.billing.currencies.residues import Residue, clearing_postings, residue_of
from hourbridge.billing.currencies.revaluation import (
    BalanceKind,
    OpenBalance,
    content_key,
    gain_of,
    last_day_of,
    revaluation_postings,
    revalue,
    reversal_day,
)
from hourbridge.common.messages.events import Posting
from tests.support.currencies import rate

ACME = Party(client="Acme")


def part(amount: str, carried: str, number: str = "HB-1") -> SettledPart:
    return SettledPart(f"id {number}", number, Decimal(amount), Decimal(carried))


def sums(postings: tuple[Posting, ...]) -> tuple[Decimal, Decimal]:
    amounts = [posting.amount for posting in postings]
    return sum(amounts, Decimal(0)), sum((p.base_amount for p in postings), Decimal(0))


def by_role(postings: tuple[Posting, ...]) -> dict[str, tuple[str, str]]:
    return {p.role.value: (str(p.amount), str(p.base_amount)) for p in postings}


def test_money_received_at_a_lower_rate_is_a_loss() -> None:
    found = payment_postings(
        [part("250.00", "280.00")],
        side="receivable",
        currency="EUR",
        rate=rate("1.05"),
        party=ACME,
    )
    assert by_role(found) == {
        "bank": ("250.00", "262.50"),
        "receivable": ("-250.00", "-280.00"),
        "fx_realized": ("0", "17.50"),
    }
    assert [posting.memo for posting in found] == [None, "HB-1", "HB-1"]


def test_a_debt_paid_at_a_lower_rate_is_a_gain() -> None:
    found = payment_postings(
        [part("250.00", "280.00")], side="payable", currency="EUR", rate=rate("1.05"), party=ACME
    )
    assert by_role(found) == {
        "bank": ("-250.00", "-262.50"),
        "payable": ("250.00", "280.00"),
        "fx_realized": ("0", "-17.50"),
    }


def test_in_the_books_currency_nothing_is_realized() -> None:
    found = payment_postings(
        [part("250.00", "250.00")], side="receivable", currency="USD", rate=None, party=ACME
    )
    assert by_role(found) == {"bank": ("250.00", "250.00"), "receivable": ("-250.00", "-250.00")}


def test_each_item_realizes_its_own_difference() -> None:
    parts = [part("100.00", "110.00"), part("100.00", "100.00", "HB-2")]
    found = payment_postings(
        parts, side="receivable", currency="EUR", rate=rate("1.05"), party=ACME
    )
    realized = {p.memo: p.base_amount for p in found if p.role.value == "fx_realized"}
    assert realized == {"HB-1": Decimal("5.00"), "HB-2": Decimal("-5.00")}


@given(
    st.lists(
        st.tuples(st.integers(1, 10**8), st.integers(0, 10**8)).map(
            lambda pair: part(f"{pair[0] / Decimal(100):.2f}", f"{pair[1] / Decimal(100):.2f}")
        ),
        min_size=1,
        max_size=6,
    ),
    st.decimals("0.0001", "999", places=4),
    st.sampled_from(["receivable", "payable"]),
)
def test_payments_balance_in_both_currencies(
    parts: list[SettledPart], value: Decimal, side: Side
) -> None:
    found = payment_postings(
        parts, side=side, currency="EUR", rate=rate(str(value), "JPY"), party=ACME
    )
    assert sums(found) == (0, 0)
    assert sums(reversed_postings(found)) == (0, 0)
    assert reversed_postings(reversed_postings(found)) == found


def balance(
    amount: str, carried: str, kind: BalanceKind = "receivable", currency: str = "EUR"
) -> OpenBalance:
    return OpenBalance(
        f"{kind} {currency}", "HB-7", kind, "Acme", currency, Decimal(amount), Decimal(carried)
    )


RATES = {"EUR": rate("1.05"), "CHF": rate("1.25", rate_id="chf")}


@pytest.mark.parametrize(
    ("kind", "role", "on_account", "gain"),
    [
        ("receivable", "receivable_revaluation", "-5.00", "-5.00"),
        ("payable", "payable_revaluation", "5.00", "5.00"),
        ("deposit", "deposits_revaluation", "5.00", "5.00"),
    ],
)
def test_who_gains_when_a_currency_falls(
    kind: BalanceKind, role: str, on_account: str, gain: str
) -> None:
    found = revalue([balance("100.00", "110.00", kind)], RATES)
    postings = revaluation_postings(found)
    assert by_role(postings) == {
        role: (on_account, on_account),
        "fx_unrealized": (str(-Decimal(on_account)), str(-Decimal(on_account))),
    }
    assert gain_of(found) == Decimal(gain)
    assert postings[0].memo == "HB-7 100.00 EUR at 1.05"


def test_what_did_not_change_its_value_makes_no_entry() -> None:
    found = revalue([balance("100.00", "105.00"), balance("0.00", "3.00")], RATES)
    assert (revaluation_postings(found), len(found), gain_of(found)) == ((), 1, 0)
    assert content_key(found) == content_key([])


def test_differences_that_cancel_out_need_no_counterpart() -> None:
    both = [balance("100.00", "110.00"), balance("100.00", "110.00", "payable")]
    postings = revaluation_postings(revalue(both, RATES))
    assert sorted(p.role.value for p in postings) == [
        "payable_revaluation",
        "receivable_revaluation",
    ]
    assert sums(postings) == (0, 0)


def test_the_content_says_which_balances_at_which_rates() -> None:
    keys = {
        content_key(revalue([balance("100.00", "110.00")], RATES)),
        content_key(revalue([balance("100.00", "111.00")], RATES)),
        content_key(revalue([balance("100.00", "110.00", currency="CHF")], RATES)),
        content_key(revalue([balance("100.00", "110.00")], {"EUR": rate("1.05", rate_id="r2")})),
    }
    assert len(keys) == 4


def test_the_order_of_balances_does_not_matter() -> None:
    both = [balance("100.00", "110.00"), balance("7.00", "1.00", "payable", "CHF")]
    one, other = revalue(both, RATES), revalue(both[::-1], RATES)
    assert (one, content_key(one)) == (other, content_key(other))


@pytest.mark.parametrize(
    ("month", "last", "after"),
    [
        ("2028-02", date(2028, 2, 29), date(2028, 3, 1)),
        ("2026-12", date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_months_end(month: str, last: date, after: date) -> None:
    assert (last_day_of(month), reversal_day(last)) == (last, after)
    with pytest.raises(ValueError):
        last_day_of(f"{month}-01")


@pytest.mark.parametrize(
    ("amount", "base", "left"),
    [("0.00", "0.00", False), ("1.00", "1.10", False), ("0.00", "-0.01", True), ("3", "0", True)],
)
def test_a_residue_is_what_is_left_in_one_currency_alone(
    amount: str, base: str, left: bool
) -> None:
    found = residue_of(Decimal(amount), Decimal(base))
    assert (found is not None) is left
    if found is not None:
        assert found.size == max(abs(Decimal(amount)), abs(Decimal(base)))


@pytest.mark.parametrize("side", ["receivable", "payable"])
@pytest.mark.parametrize(
    ("amount", "base", "other"), [("0", "-0.02", "fx_realized"), ("0.30", "0", "rounding")]
)
def test_a_residue_is_cleared_against_what_caused_it(
    side: Side, amount: str, base: str, other: str
) -> None:
    residue = Residue(Decimal(amount), Decimal(base))
    postings = clearing_postings(residue, side=side, party=ACME)
    sign = 1 if side == "receivable" else -1
    assert (postings[0].amount, postings[0].base_amount) == (
        -sign * residue.amount,
        -sign * residue.base_amount,
    )
    assert (postings[0].role.value, postings[1].role.value) == (side, other)
    assert sums(postings) == (0, 0)
