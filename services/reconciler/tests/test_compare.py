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
    FoundDocument,
    FoundLine,
    compare,
)
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
    result = compare(expected, found)
    assert result is not None
    return result


def test_equal_numbers_in_other_notation_agree() -> None:
    assert compare(EXPECTED, FOUND) is None


def test_nothing_there() -> None:
    assert difference(None) == Difference(Cause.LEDGER_DELETED, D("-750.00"))


def test_voided() -> None:
    voided = replace(FOUND, total=D(0), is_void=True)
    assert difference(voided) == Difference(Cause.LEDGER_VOID, D("-750.00"))


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
    assert result.cause is Cause.LEDGER_EDIT
    assert [item.field for item in result.fields] == fields


def test_what_cannot_be_expected_exactly_is_not_compared() -> None:
    lines = (replace(EXPECTED.lines[0], item_id=None),)
    vague = replace(EXPECTED, customer_id=None, lines=lines)
    found = replace(FOUND, customer_id="C9", currency=None)
    assert compare(vague, found) is None


def test_one_unit_at_our_amount_is_the_same_statement() -> None:
    found = replace(FOUND, lines=(FoundLine(1, "I1", D(1), D("750.00"), D("750.00")),))
    assert compare(EXPECTED, found) is None


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
    assert (result.cause, result.amount) == (Cause.LEDGER_TOTAL_ROUNDING, D("-0.01"))
    assert "half_even" in result.explained_by


def test_the_same_cent_changed_after_posting_is_an_edit() -> None:
    found = replace(FOUND, total=D("749.99"), lines=(replace(FOUND.lines[0], amount=D("749.99")),))
    assert difference(found).cause is Cause.LEDGER_EDIT


def test_another_total_from_the_start_beyond_rounding_is_the_ledgers_total() -> None:
    taxed = replace(EXPECTED, posted_total=D("811.88"))
    result = difference(replace(FOUND, total=D("811.88")), taxed)
    assert (result.cause, result.amount) == (Cause.LEDGER_TOTAL, D("61.88"))


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
