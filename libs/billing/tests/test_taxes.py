"""Tax by document and by line, by day, and what credits take back of it."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.tax_credits import StandingTax, credit_taxes
from hourbridge.billing.taxes import TaxTerms, tax_lines, terms_of, terms_on
from hourbridge.common.book import TaxRule
from hourbridge.common.messages.events import DocumentLine, TaxAmount
from hourbridge.common.money import RoundingMode

DAY = date(2026, 3, 31)


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def a_line(amount: str, code: str | None = "VAT", position: int = 1) -> DocumentLine:
    return DocumentLine(
        line_id=f"l{position}",
        position=position,
        description="work",
        tax_code=code,
        quantity=Decimal(1),
        unit_price=Decimal(amount),
        amount=Decimal(amount),
    )


def some_lines(*amounts: str, code: str | None = "VAT") -> list[DocumentLine]:
    return [a_line(amount, code, n) for n, amount in enumerate(amounts, start=1)]


def terms(percent: str = "19", method: str = "document", **more: Any) -> dict[str, TaxTerms]:
    rule = {"code": "VAT", "percent": percent, "method": method, **more}
    return terms_on([TaxRule.model_validate(rule)], DAY, 7)


def test_the_document_rounds_once_and_lines_once_each() -> None:
    lines = some_lines("3.33", "3.33", "3.33")
    by_document = tax_lines(lines, terms(), "EUR")
    assert [tax.amount for tax in by_document.taxes] == money("1.90")
    assert [line.tax_amount for line in by_document.lines] == money("0.64", "0.63", "0.63")
    assert by_document.total == Decimal("11.89")
    by_line = tax_lines(lines, terms(method="line"), "EUR")
    assert [line.tax_amount for line in by_line.lines] == money("0.63", "0.63", "0.63")
    assert by_line.total == Decimal("11.88")


def test_steps_say_what_rounding_took() -> None:
    taxed = tax_lines(some_lines("3.33", "3.33", "3.33"), terms(), "EUR")
    steps = [step for line in taxed.lines for step in line.roundings]
    assert {step.step for step in steps} == {"tax"}
    assert {step.policy for step in steps} == {"tax:VAT v7"}
    assert sum((step.residue for step in steps), Decimal(0)) == Decimal("1.8981") - Decimal("1.90")
    (line,) = tax_lines(some_lines("10.05"), terms(method="line"), "EUR").lines
    (step,) = line.roundings
    assert (step.of, step.mode, step.before) == ("line", "half_up", Decimal("1.9095"))
    (even,) = tax_lines(some_lines("100.00"), terms(), "EUR").lines
    assert even.roundings == ()


def test_taxing_again_replaces_what_there_was() -> None:
    once = tax_lines(some_lines("3.33", "3.33"), terms(), "EUR")
    assert tax_lines(once.lines, terms(), "EUR") == once
    untaxed = tax_lines(once.lines, {}, "EUR")
    assert (untaxed.lines, untaxed.taxes) == (tuple(some_lines("3.33", "3.33")), ())


@pytest.mark.parametrize(
    ("mode", "tax"), [("half_up", "0.03"), ("half_even", "0.02"), ("down", "0.02")]
)
def test_modes(mode: str, tax: str) -> None:
    taxed = tax_lines(some_lines("0.25"), terms("10", mode=mode), "EUR")
    (amount,) = taxed.taxes
    assert amount.amount == Decimal(tax)
    assert terms_of(taxed.taxes)["VAT"].mode == RoundingMode(mode)


def test_codes_are_taxed_apart_and_unknown_ones_not_at_all() -> None:
    rules = [TaxRule(code=code, percent=Decimal(p)) for code, p in (("VAT", "20"), ("ZERO", "0"))]
    lines = [
        a_line("10.00", code, n)
        for n, code in enumerate(("ZERO", "VAT", "OTHER", None, "VAT"), start=1)
    ]
    taxed = tax_lines(lines, terms_on(rules, DAY, 1), "GBP")
    assert [(tax.code, tax.taxable, tax.amount) for tax in taxed.taxes] == [
        ("ZERO", Decimal("10.00"), Decimal("0.00")),
        ("VAT", Decimal("20.00"), Decimal("4.00")),
    ]
    assert [line.tax_amount for line in taxed.lines] == [0, 2, None, None, 2]


def test_the_day_of_the_document_chooses_the_rule() -> None:
    rules = [
        TaxRule(code="VAT", percent=Decimal(16), effective_from=date(2026, 7, 1)),
        TaxRule(code="VAT", percent=Decimal(19), effective_from=date(2007, 1, 1)),
        TaxRule(code="VAT", percent=Decimal(5), effective_to=date(2026, 3, 30)),
    ]
    percents = [
        terms_on(rules, day, 1)["VAT"].percent
        for day in (date(2000, 1, 1), date(2026, 6, 30), date(2026, 7, 1))
    ]
    assert percents == [5, 19, 16]
    assert terms_on(rules[:1], DAY, 1) == {}


def test_refunds_on_an_invoice_reduce_its_tax() -> None:
    taxed = tax_lines(some_lines("100.00", "-40.00"), terms(), "EUR")
    assert [line.tax_amount for line in taxed.lines] == money("19.00", "-7.60")
    assert taxed.total == Decimal("71.40")


# --- credits --------------------------------------------------------------------------------


class Invoice:
    """A posted invoice that is credited bit by bit."""

    def __init__(self, method: str, percent: str, *amounts: str) -> None:
        self.taxed = tax_lines(some_lines(*amounts), terms(percent, method), "EUR")
        self.standing = {
            line.line_id: StandingTax("VAT", line.amount, line.tax_amount or Decimal(0))
            for line in self.taxed.lines
        }

    @property
    def tax(self) -> Decimal:
        return sum((tax.amount for tax in self.taxed.taxes), Decimal(0))

    def credit(self, *parts: tuple[str, str]) -> Decimal:
        """Credit amounts of lines; return the credit's total."""
        credits = [(line_id, a_line(amount)) for line_id, amount in parts]
        taxed = credit_taxes(credits, self.taxed.taxes, self.standing, "EUR")
        for (line_id, _), line in zip(credits, taxed.lines, strict=True):
            held = self.standing[line_id]
            left = held.taxable - line.amount, held.tax - (line.tax_amount or Decimal(0))
            self.standing[line_id] = StandingTax(held.code, *left)
        return taxed.total


@pytest.mark.parametrize(
    ("method", "credits"),
    [
        ("document", ("12.08", "36.16", "24.12", "48.16")),
        ("line", ("12.08", "36.16", "24.12", "48.17")),
    ],
)
def test_the_last_credit_takes_what_is_left(method: str, credits: tuple[str, ...]) -> None:
    invoice = Invoice(method, "20.4", "10.03", "30.03", "20.03", "40.01")
    found = [
        invoice.credit((f"l{n}", amount))
        for n, amount in enumerate(("10.03", "30.03", "20.03", "40.01"), start=1)
    ]
    assert found == money(*credits)
    assert sum(found) == invoice.taxed.total


def test_a_full_credit_mirrors_the_invoice() -> None:
    invoice = Invoice("document", "8.25", "10.04", "10.04", "10.04")
    assert invoice.credit(("l1", "10.04"), ("l2", "10.04"), ("l3", "10.04")) == Decimal("32.60")


def test_parts_of_a_line_never_take_more_tax_than_it_had() -> None:
    invoice = Invoice("line", "50", "0.03")
    assert [invoice.credit(("l1", "0.01")) for _ in range(3)] == money("0.02", "0.02", "0.01")


def test_untaxed_lines_are_credited_without_tax() -> None:
    taxed = credit_taxes([("x", a_line("5.00", None)), ("y", a_line("5.00"))], (), {}, "EUR")
    assert (taxed.total, taxed.taxes) == (Decimal("10.00"), ())


def test_a_line_that_nobody_knows_is_taxed_as_the_invoice_was() -> None:
    taxes = [
        TaxAmount(
            code="VAT",
            percent=Decimal(10),
            taxable=Decimal(9),
            amount=Decimal("0.90"),
            method="line",
        )
    ]
    standing = {"other": StandingTax("VAT", Decimal("90.00"), Decimal("9.00"))}
    assert credit_taxes([("new", a_line("5.00"))], taxes, standing, "EUR").total == Decimal("5.50")


@given(
    cents=st.lists(st.integers(1, 9_999), min_size=1, max_size=7),
    percent=st.sampled_from(["5.5", "8.25", "19", "20"]),
    method=st.sampled_from(["document", "line"]),
    seed=st.integers(0, 50),
)
def test_credits_in_any_order_and_size_mirror_the_invoice(
    cents: list[int], percent: str, method: str, seed: int
) -> None:
    chance = random.Random(seed)
    invoice = Invoice(method, percent, *(str(Decimal(c) / 100) for c in cents))
    parts = []
    for n, amount in enumerate(cents, start=1):
        first = chance.randint(0, amount)
        parts += [(f"l{n}", part) for part in (first, amount - first) if part]
    chance.shuffle(parts)
    taken = Decimal(0)
    for line_id, part in parts:
        taken += invoice.credit((line_id, str(Decimal(part) / 100)))
        assert taken <= invoice.taxed.total
    assert taken == invoice.taxed.total
