"""Conversions by a converter of others over the ECB's real rates; Tryton's, ERPNext's numbers."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hourbridge.billing.currencies.choosing import RateTable, choose
from hourbridge.billing.currencies.conversion import base_amount, exact_base
from hourbridge.billing.currencies.payments import Party, SettledPart, payment_postings
from hourbridge.billing.currencies.residues import clearing_postings, residue_of
from hourbridge.billing.currencies.revaluation import OpenBalance, gain_of, revalue
from hourbridge.billing.currencies.stamping import at_rate
from hourbridge.common.book import AccountRole, CurrencyPolicy
from hourbridge.common.exchange_rates import RateRecord
from hourbridge.common.messages.events import ExchangeRateUsed, RateLeg
from hourbridge.connectors.exchange_rates.ecb_file import EcbFile
from tests.support.journals import document, line
from tests.vectors.data import cases

converter = pytest.importorskip("currency_converter")
D = Decimal
FIRST, LAST = date(1999, 1, 11), date(2026, 10, 30)
ALWAYS = ("EUR", "USD", "JPY", "GBP", "CHF", "AUD", "CAD", "SEK")
"""Published on each day since 1999."""


@cache
def their_converter() -> Any:
    """Return CurrencyConverter in exact numbers; on days without rates it takes the last known."""
    return converter.CurrencyConverter(
        decimal=True,
        fallback_on_missing_rate=True,
        fallback_on_missing_rate_method="last_known",
    )


@cache
def rates_by_day() -> dict[date, list[RateRecord]]:
    """Return the same file, read by us."""
    content = (files("currency_converter") / "eurofxref-hist.zip").read_bytes()
    found: dict[date, list[RateRecord]] = defaultdict(list)
    for rate in EcbFile(content).rates():
        record = RateRecord("ecb", "EUR", rate.currency, rate.rate_date, 1, rate.value)
        found[rate.rate_date].append(record)
    return found


def ours(currency: str, base: str, day: date) -> ExchangeRateUsed:
    days = [day - timedelta(days=back) for back in range(8)]
    table = RateTable(record for each in days for record in rates_by_day().get(each, ()))
    return choose(table, currency, base, day, CurrencyPolicy())


@settings(max_examples=300)
@given(
    pair=st.lists(st.sampled_from(ALWAYS), min_size=2, max_size=2, unique=True),
    day=st.dates(FIRST, LAST),
    amount=st.decimals(D("0.01"), D(10**7), places=2, allow_nan=False),
)
def test_another_converter_agrees(pair: list[str], day: date, amount: Decimal) -> None:
    currency, base = pair
    rate = ours(currency, base, day)
    theirs = their_converter().convert(amount, currency, base, date=day)
    assert abs(exact_base(amount, currency, rate) - theirs) <= abs(theirs) * D("1e-24")
    assert rate.rate_date <= day
    assert rate.is_fallback == (day not in rates_by_day())


@pytest.mark.parametrize(
    ("currency", "amount", "day", "in_dollars"),
    [
        ("EUR", "10000.00", date(2026, 1, 30), "11919.00"),
        ("EUR", "100.00", date(2026, 2, 1), "119.19"),
        ("JPY", "1000000", date(2026, 1, 30), "6492.18"),
        ("GBP", "1000.00", date(2026, 1, 30), "1376.01"),
        ("GBP", "1000.00", date(2026, 3, 31), "1324.15"),
    ],
)
def test_both_agree_to_the_cent(currency: str, amount: str, day: date, in_dollars: str) -> None:
    theirs = their_converter().convert(D(amount), currency, "USD", date=day)
    assert theirs.quantize(D("0.01")) == D(in_dollars)
    assert base_amount(D(amount), currency, ours(currency, "USD", day)) == D(in_dollars)


# --- Tryton, ERPNext --------------------------------------------------------------------------


def per_base(case: dict[str, str], value: str) -> ExchangeRateUsed:
    """Return a rate that is stated as foreign units per unit of the books'; never inverted."""
    leg = RateLeg(currency=case["currency"], value=D(value))
    day = date(2026, 1, 30)
    return ExchangeRateUsed(
        rate_id=f"{case['currency']}-{value}",
        source="tryton",
        base_currency=case["base"],
        value=D(1) / D(value),
        wanted_date=day,
        rate_date=day,
        legs=(leg,),
    )


@pytest.mark.parametrize("case", cases("tryton", "payments"))
def test_tryton_s_gain_on_a_payment(case: dict[str, str]) -> None:
    amount, currency = D(case["amount"]), case["currency"]
    carried = base_amount(amount, currency, per_base(case, case["invoiced_at"]))
    assert carried == D(case["invoiced"])
    postings = payment_postings(
        [SettledPart("d", "HB-1", amount, carried)],
        side="receivable",
        currency=currency,
        rate=per_base(case, case["paid_at"]),
        party=Party(),
    )
    by_role = {posting.role: posting.base_amount for posting in postings}
    assert by_role[AccountRole.BANK] == D(case["paid"])
    assert by_role[AccountRole.FX_REALIZED] == -D(case["gain"])


@pytest.mark.parametrize("case", cases("tryton", "deposits"))
def test_tryton_leaves_a_residue_on_a_deposit_that_we_would_clear(case: dict[str, str]) -> None:
    amount, currency = D(case["amount"]), case["currency"]
    received = base_amount(amount, currency, per_base(case, case["received_at"]))
    recalled = base_amount(amount, currency, per_base(case, case["recalled_at"]))
    assert (received, recalled) == (D(case["received"]), D(case["recalled"]))
    assert recalled - received == D(case["residue"])


@pytest.mark.parametrize("case", cases("tryton", "documents"))
def test_lines_sum_to_the_converted_document(case: dict[str, Any]) -> None:
    lines = [line(amount, position=at) for at, amount in enumerate(case["lines"], start=1)]
    invoice = document(lines=lines, currency=case["currency"])
    stamped = at_rate(invoice, per_base(case, case["rate"]))
    assert stamped.base_total == D(case["total"])
    assert sum(each.base_amount or D(0) for each in stamped.lines) == D(case["total"])


@pytest.mark.parametrize("case", cases("erpnext", "revaluation"))
def test_erpnext_s_revaluation(case: dict[str, str]) -> None:
    day = date(2026, 1, 31)
    rate = ExchangeRateUsed(
        rate_id="r",
        source="erpnext",
        base_currency=case["base"],
        value=D(case["rate"]),
        wanted_date=day,
        rate_date=day,
    )
    balance = OpenBalance(
        "d", "HB-1", "receivable", "Acme", case["currency"], D(case["amount"]), D(case["carried"])
    )
    revalued = revalue([balance], {case["currency"]: rate})
    assert revalued[0].value_base == D(case["value"])
    assert gain_of(revalued) == D(case["gain"])


@pytest.mark.parametrize("case", cases("erpnext", "residues"))
def test_erpnext_s_zero_balances(case: dict[str, str]) -> None:
    amount, base = D(case["amount"]), D(case["base_amount"])
    residue = residue_of(amount, base)
    assert residue is not None
    postings = clearing_postings(residue, side="receivable", party=Party())
    (cleared,) = (each for each in postings if each.role is AccountRole.RECEIVABLE)
    assert (amount + cleared.amount, base + cleared.base_amount) == (0, 0)
    assert sum(each.amount for each in postings) == sum(each.base_amount for each in postings) == 0
