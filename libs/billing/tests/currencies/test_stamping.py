"""Base amounts of documents: the total first, then its lines and taxes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.currencies.stamping import (
    at_own_rates,
    at_rate,
    moves_money,
    restamped,
    stamped,
)
from hourbridge.common.messages.events import Document, ExchangeRateUsed, TaxAmount
from tests.support.currencies import FRIDAY, document, rate

SATURDAY = FRIDAY + timedelta(days=1)
AMOUNTS = st.lists(st.integers(-500_000, 500_000).map(lambda n: f"{n / Decimal(100):.2f}"))


def bases(found: Document) -> list[str]:
    return [str(line.base_amount) for line in found.lines]


def by_date(rates: dict[date, ExchangeRateUsed]) -> Any:
    return lambda day: rates[day]


def tax(amount: str) -> TaxAmount:
    return TaxAmount(
        code="VAT",
        percent=Decimal(20),
        taxable=Decimal(0),
        amount=Decimal(amount),
        method="document",
    )


def test_lines_share_the_rounded_total() -> None:
    found = at_rate(document(["66.67", "66.67", "66.67"]), rate("1.0873"))
    assert found.base_total == Decimal("217.47")  # 217.4709..., three lines rounded: 217.47
    assert bases(found) == ["72.49", "72.49", "72.49"]


def test_the_residue_goes_to_the_largest_remainder_and_is_explained() -> None:
    found = at_rate(document(["10.05", "10.05", "10.05"]), rate("1.1111"))
    assert (found.base_total, bases(found)) == (Decimal("33.50"), ["11.17", "11.17", "11.16"])
    first, _, last = found.lines
    assert [step.step for step in first.roundings] == ["exchange"]
    assert [(s.step, s.before, s.after) for s in last.roundings] == [
        ("exchange", Decimal("11.166555"), Decimal("11.17")),
        ("allocation", Decimal("11.17"), Decimal("11.16")),
    ]
    assert {step.policy for step in last.roundings} == {"r1"}


def test_an_exact_product_needs_no_step() -> None:
    assert at_rate(document(["10.00"]), rate("1.5")).lines[0].roundings == ()


def test_taxes_take_their_share() -> None:
    given_one = document(["33.33", "33.33"], total=Decimal("79.99"), taxes=(tax("13.33"),))
    found = at_rate(given_one, rate("1.0873"))
    lines = sum((line.base_amount or Decimal(0) for line in found.lines), Decimal(0))
    assert found.base_total == Decimal("86.97")
    assert found.base_total - lines == Decimal("14.49")  # 13.33 at the rate


def test_a_document_without_lines_has_a_total_all_the_same() -> None:
    assert at_rate(document([], total=Decimal("5.00")), rate("2")).base_total == Decimal("10.00")


def test_transaction_dates_give_each_line_its_own_rate() -> None:
    rates = {FRIDAY: rate("1.10", rate_id="f"), SATURDAY: rate("1.20", rate_id="s")}
    given_one = document(["10.00", "10.00"], days=[FRIDAY, SATURDAY], document_date=SATURDAY)
    found = stamped(given_one, by_date(rates), own_dates=True)
    assert (bases(found), found.base_total) == (["11.00", "12.00"], Decimal("23.00"))
    assert [line.exchange and line.exchange.rate_id for line in found.lines] == ["f", "s"]
    assert found.exchange is not None
    assert found.exchange.value == Decimal("1.15")
    assert found.exchange.rate_id.startswith("ecb:own-dates:")


def test_one_rate_for_all_lines_is_the_documents() -> None:
    given_one = document(["10.00"], days=[FRIDAY])
    found = stamped(given_one, by_date({FRIDAY: rate("1.10")}), own_dates=True)
    assert found.exchange is not None
    assert (found.exchange.rate_id, found.lines[0].exchange) == ("r1", None)


def test_invoice_date_gives_all_lines_the_documents_rate() -> None:
    given_one = document(["10.00"], days=[SATURDAY])
    found = stamped(given_one, by_date({FRIDAY: rate("1.10")}), own_dates=False)
    assert bases(found) == ["11.00"]


def test_lines_without_a_date_take_the_documents() -> None:
    rates = {FRIDAY: rate("1.10"), SATURDAY: rate("1.20", rate_id="s")}
    given_one = document(["10.00"], document_date=SATURDAY)
    found = stamped(given_one, by_date(rates), own_dates=True)
    assert bases(found) == ["12.00"]


def test_own_rates_of_a_document_over_nothing_keep_its_rate() -> None:
    rates = {"line-1": rate("1.10", rate_id="f"), "line-2": rate("1.20", rate_id="s")}
    found = at_own_rates(document(["10.00", "-10.00"]), rate("1.15"), rates)
    assert found.exchange is not None
    assert (found.exchange.rate_id, found.base_total) == ("r1", Decimal("-1.00"))


def test_restamping_keeps_the_rates_and_replaces_the_steps() -> None:
    before = at_rate(document(["10.05", "10.05", "10.05"]), rate("1.1111"))
    smaller = before.model_copy(update={"lines": before.lines[:1], "total": Decimal("10.05")})
    after = restamped(smaller)
    assert (after.base_total, bases(after)) == (Decimal("11.17"), ["11.17"])
    assert len(after.lines[0].roundings) == 1
    assert restamped(document(["10.00"])).base_total is None


def test_the_last_part_takes_what_the_others_left() -> None:
    before = at_rate(document(["10.05"]), rate("1.1111"))
    assert bases(restamped(before, base_total=Decimal("11.16"))) == ["11.16"]
    rates = {FRIDAY: rate("1.10", rate_id="f"), SATURDAY: rate("1.20", rate_id="s")}
    own = stamped(
        document(["10.00", "10.00"], days=[FRIDAY, SATURDAY], document_date=FRIDAY),
        by_date(rates),
        own_dates=True,
    )
    last = restamped(own, base_total=Decimal("23.01"))
    assert (last.base_total, bases(last)) == (Decimal("23.01"), ["11.01", "12.00"])
    assert restamped(own).base_total == Decimal("23.00")


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ({"memo": "other"}, False),
        ({"total": Decimal("9.00")}, True),
        ({"taxes": (tax("1.00"),)}, True),
        ({"lines": ()}, True),
    ],
)
def test_what_moves_money(changes: dict[str, Any], moves: bool) -> None:
    before = document(["10.00"])
    assert moves_money(before, before.model_copy(update=changes)) is moves


@given(AMOUNTS, st.decimals("0.0001", "9999", places=4), st.sampled_from(["USD", "JPY", "KWD"]))
def test_lines_always_sum_to_the_document(amounts: list[str], value: Decimal, base: str) -> None:
    given_one = document(amounts)
    found = at_rate(given_one, rate(str(value), base))
    if amounts:
        assert sum((line.base_amount or 0 for line in found.lines), Decimal(0)) == found.base_total
    mirrored = at_rate(document([str(-Decimal(a)) for a in amounts]), rate(str(value), base))
    assert [-(line.base_amount or 0) for line in mirrored.lines] == [
        line.base_amount for line in found.lines
    ]
