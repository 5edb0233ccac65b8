"""Comparison rules: expected against found leads to one cause, with exact differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.reconciler.causes import Cause
from hourbridge.reconciler.compare import (
    Difference,
    ExpectedDocument,
    ExpectedLine,
    ExpectedTax,
    FoundDocument,
    FoundLine,
)
from hourbridge.reconciler.judging import judge
from hourbridge.reconciler.rounding import PricedLine, explain_total

D = Decimal
EXPECTED = ExpectedDocument(
    number="HB-1",
    customer_id="C1",
    currency="USD",
    document_date=date(2026, 3, 31),
    total=D("750.00"),
    posted_total=D("750.00"),
    lines=(ExpectedLine(1, "I1", D("5"), D("150.00"), D("750.00")),),
)
FOUND = FoundDocument(
    number="HB-1",
    customer_id="C1",
    currency="USD",
    document_date=date(2026, 3, 31),
    total=D("750.00"),
    is_void=False,
    lines=(FoundLine(1, "I1", D("5.00"), D("150"), D("750.0")),),
)


def difference(found: FoundDocument | None, expected: ExpectedDocument = EXPECTED) -> Difference:
    result = judge(expected, found)
    assert result is not None
    return result


def test_equal_numbers_in_other_notation_agree() -> None:
    assert judge(EXPECTED, FOUND) is None


def test_nothing_there() -> None:
    assert difference(None) == Difference(Cause.TARGET_DELETED, D("-750.00"))


def test_voided() -> None:
    voided = replace(FOUND, total=D(0), is_void=True)
    assert difference(voided) == Difference(Cause.TARGET_VOID, D("-750.00"))


@pytest.mark.parametrize(
    ("found", "fields"),
    [
        (replace(FOUND, number=None), ["number"]),
        (replace(FOUND, customer_id="C2"), ["customer"]),
        (replace(FOUND, currency="EUR"), ["currency"]),
        (replace(FOUND, document_date=date(2026, 4, 1)), ["date"]),
        (replace(FOUND, lines=()), ["lines"]),
        (replace(FOUND, lines=(replace(FOUND.lines[0], item_id="I2"),)), ["lines.1.item"]),
        (replace(FOUND, lines=(replace(FOUND.lines[0], quantity=D(4)),)), ["lines.1.quantity"]),
        (
            replace(FOUND, total=D(725), lines=(replace(FOUND.lines[0], amount=D(725)),)),
            ["total", "lines.1.amount"],
        ),
    ],
)
def test_edits_name_their_fields(found: FoundDocument, fields: list[str]) -> None:
    result = difference(found)
    assert result.cause is Cause.TARGET_EDIT
    assert [item.field for item in result.fields] == fields


def test_what_cannot_be_expected_exactly_is_not_compared() -> None:
    lines = (replace(EXPECTED.lines[0], item_id=None),)
    vague = replace(EXPECTED, customer_id=None, lines=lines)
    found = replace(FOUND, customer_id="C9", currency=None)
    assert judge(vague, found) is None


def test_one_unit_at_our_amount_is_the_same_statement() -> None:
    found = replace(FOUND, lines=(FoundLine(1, "I1", D(1), D("750.00"), D("750.00")),))
    assert judge(EXPECTED, found) is None


def test_a_ledger_that_rounded_otherwise_when_we_posted_is_no_edit() -> None:
    lines = (
        ExpectedLine(1, "I1", D("0.125"), D(1), D("0.13")),
        ExpectedLine(2, "I1", D("0.135"), D(1), D("0.14")),
    )
    expected = replace(EXPECTED, total=D("0.27"), posted_total=D("0.26"), lines=lines)
    found = replace(
        FOUND,
        total=D("0.26"),
        lines=(
            FoundLine(1, "I1", D("0.125"), D(1), D("0.12")),
            FoundLine(2, "I1", D("0.135"), D(1), D("0.14")),
        ),
    )
    result = difference(found, expected)
    assert (result.cause, result.amount) == (Cause.TARGET_ROUNDING, D("-0.01"))
    assert "half_even" in result.explained_by


def test_the_same_cent_changed_after_posting_is_an_edit() -> None:
    found = replace(FOUND, total=D("749.99"), lines=(replace(FOUND.lines[0], amount=D("749.99")),))
    assert difference(found).cause is Cause.TARGET_EDIT


def test_another_total_from_the_start_beyond_rounding_is_the_ledgers_total() -> None:
    taxed = replace(EXPECTED, posted_total=D("811.88"))
    result = difference(replace(FOUND, total=D("811.88")), taxed)
    assert (result.cause, result.amount) == (Cause.TARGET_TOTAL, D("61.88"))


@pytest.mark.parametrize(
    ("quantities", "price", "currency", "total", "rule"),
    [
        (["0.25", "0.25"], "27.50", "USD", "13.75", "line_grouping"),
        (["0.125", "0.135"], "1", "USD", "0.26", "half_even"),
        (["1.5"], "1235", "JPY", "1852", "half_even"),
        (["1.1111"], "12.345", "KWD", "13.72", "currency_precision"),
        (["0.8333333"], "100", "USD", "83.00", "quantity_decimals"),
        (["0.25", "0.25", "0.25"], "27.50", "USD", "20.63", "document_rounding"),
    ],
)
def test_rounding_rules_have_names(
    quantities: list[str], price: str, currency: str, total: str, rule: str
) -> None:
    lines = [PricedLine("I1", D(quantity), D(price)) for quantity in quantities]
    assert rule in explain_total(lines, D(total), currency)


def test_an_unexplained_total_has_no_rule() -> None:
    assert explain_total([PricedLine("I1", D(5), D(150))], D("725.00"), "USD") == ()


# --- how ledgers reckon -----------------------------------------------------------------------


def taxed(total: str, tax: str, method: str = "document") -> ExpectedDocument:
    lines = tuple(
        ExpectedLine(at, "I1", D(1), D("9.62"), D("9.62"), tax_code="VAT") for at in (1, 2, 3)
    )
    return replace(
        EXPECTED,
        total=D(total),
        lines=lines,
        taxes=(ExpectedTax("VAT", D(19), D(tax), method),),
    )


def taxed_found(total: str, tax: str | None) -> FoundDocument:
    lines = tuple(FoundLine(at, "I1", D(1), D("9.62"), D("9.62")) for at in (1, 2, 3))
    return replace(FOUND, total=D(total), tax=None if tax is None else D(tax), lines=lines)


@pytest.mark.parametrize("shown", [True, False])
def test_tax_rounded_per_line_instead_of_per_document_is_named(*, shown: bool) -> None:
    expected = replace(taxed("34.34", "5.48"), posted_total=D("34.35"))
    result = difference(taxed_found("34.35", "5.49" if shown else None), expected)
    assert (result.cause, result.amount) == (Cause.TAX_SCOPE, D("0.01"))
    expected = replace(taxed("34.35", "5.49", "line"), posted_total=D("34.34"))
    result = difference(taxed_found("34.34", "5.48" if shown else None), expected)
    assert (result.cause, result.amount) == (Cause.TAX_SCOPE, D("-0.01"))


def test_a_tax_that_neither_method_gives_is_the_ledgers_total() -> None:
    expected = replace(taxed("34.34", "5.48"), posted_total=D("34.40"))
    result = difference(taxed_found("34.40", "5.54"), expected)
    assert (result.cause, result.amount) == (Cause.TARGET_TOTAL, D("0.06"))


def test_the_same_tax_agrees() -> None:
    assert judge(taxed("34.34", "5.48"), taxed_found("34.34", "5.48")) is None


@pytest.mark.parametrize(
    ("currency", "quantity", "price", "ours", "theirs", "cause"),
    [
        ("BHD", "2.2222", "7.125", "15.833", "15.83", Cause.TARGET_CURRENCY_PRECISION),
        ("KRW", "2.5", "1001", "2503", "2502", Cause.TARGET_ROUNDING),
        ("USD", "1.3333333333", "90", "120.00", "119.70", Cause.TARGET_TOTAL),
    ],
)
def test_currencies_as_the_ledger_keeps_them(
    currency: str, quantity: str, price: str, ours: str, theirs: str, cause: Cause
) -> None:
    line = ExpectedLine(1, "I1", D(quantity), D(price), D(ours))
    expected = replace(
        EXPECTED, currency=currency, total=D(ours), posted_total=D(theirs), lines=(line,)
    )
    found = replace(
        FOUND,
        currency=currency,
        total=D(theirs),
        lines=(FoundLine(1, "I1", D(quantity), D(price), D(theirs)),),
    )
    if cause is Cause.TARGET_TOTAL:
        found = replace(found, lines=(replace(found.lines[0], amount=D(ours)),))
    result = difference(found, expected)
    assert (result.cause, result.amount) == (cause, D(theirs) - D(ours))


def test_lines_that_the_ledger_merged() -> None:
    lines = tuple(ExpectedLine(at, "I1", D("0.25"), D("33.50"), D("8.38")) for at in (1, 2))
    expected = replace(EXPECTED, total=D("16.76"), posted_total=D("16.75"), lines=lines)
    merged = (FoundLine(1, "I1", D("0.5"), D("33.50"), D("16.75")),)
    result = difference(replace(FOUND, total=D("16.75"), lines=merged), expected)
    assert (result.cause, result.amount) == (Cause.LINE_GROUPING, D("-0.01"))


def foreign(*base: str, rate: str = "1.0837", base_total: str = "162.56") -> ExpectedDocument:
    lines = tuple(
        ExpectedLine(at, "I1", D(1), D("50.00"), D("50.00"), base_amount=D(amount))
        for at, amount in enumerate(base, start=1)
    )
    return replace(
        EXPECTED,
        currency="EUR",
        total=D("150.00"),
        lines=lines,
        base_currency="USD",
        base_total=D(base_total),
        rate=D(rate),
    )


def foreign_found(*base: str | None, rate: str | None, base_total: str | None) -> FoundDocument:
    lines = tuple(
        FoundLine(at, "I1", D(1), D("50.00"), D("50.00"), None if b is None else D(b))
        for at, b in enumerate(base, start=1)
    )
    return replace(
        FOUND,
        currency="EUR",
        total=D("150.00"),
        lines=lines,
        rate=None if rate is None else D(rate),
        base_total=None if base_total is None else D(base_total),
    )


OURS = foreign("54.19", "54.19", "54.18")


def test_converted_amounts_agree_or_are_not_told() -> None:
    same = foreign_found("54.19", "54.19", "54.18", rate="1.0837", base_total="162.56")
    assert judge(OURS, same) is None
    assert judge(OURS, foreign_found(None, None, None, rate=None, base_total=None)) is None


def test_a_ledger_that_converts_line_by_line() -> None:
    found = foreign_found("54.19", "54.19", "54.19", rate="1.0837", base_total="162.56")
    result = difference(found, OURS)
    assert (result.cause, result.amount) == (Cause.TARGET_FX_ROUNDING, D("0.01"))
    assert result.is_in_base


@pytest.mark.parametrize(
    ("rate", "base_total", "rule"),
    [
        ("1.083658431079", "162.55", "inverse_4_decimals"),
        ("1.08", "162.00", "rate_2_decimals"),
    ],
)
def test_a_rate_that_the_ledger_cut(rate: str, base_total: str, rule: str) -> None:
    found = foreign_found(None, None, None, rate=rate, base_total=base_total)
    result = difference(found, OURS)
    assert (result.cause, result.explained_by) == (Cause.TARGET_RATE_PRECISION, (rule,))
    assert result.amount == D(base_total) - D("162.56")


def test_a_cut_rate_of_a_ledger_that_shows_none() -> None:
    ours = replace(foreign(base_total="1083700.00"), total=D("1000000.00"), lines=())
    ours = replace(ours, posted_total=D("1000000.00"))
    found = replace(
        foreign_found(rate=None, base_total="1083658.43"), total=D("1000000.00"), lines=()
    )
    result = difference(found, ours)
    assert (result.cause, result.amount) == (Cause.TARGET_RATE_PRECISION, D("-41.57"))


def test_another_days_rate_is_not_explained_away() -> None:
    found = foreign_found(None, None, None, rate="1.0912", base_total="163.68")
    result = difference(found, OURS)
    assert (result.cause, result.amount) == (Cause.TARGET_FX_RATE, D("1.12"))


def test_entries_and_payments_are_sets_of_amounts() -> None:
    expected = replace(
        EXPECTED,
        lines=(
            ExpectedLine(1, None, None, None, D(100)),
            ExpectedLine(2, None, None, None, D(-100)),
        ),
        total=D(100),
        posted_total=D(100),
        is_ordered=False,
        is_computed=False,
    )
    lines = (FoundLine(1, None, None, None, D(-100)), FoundLine(2, None, None, None, D(100)))
    found = replace(FOUND, total=D(100), lines=lines)
    assert judge(expected, found) is None
    moved = replace(found, total=D(90), lines=(replace(lines[0], amount=D(-90)), lines[1]))
    assert difference(moved, expected).cause is Cause.TARGET_EDIT
