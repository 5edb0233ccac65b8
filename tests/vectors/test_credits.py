"""Taxed invoices and credit notes that Lago published."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.tax_credits import StandingTax, credit_taxes
from hourbridge.billing.taxes import TaxTerms, tax_lines
from hourbridge.common.messages.events import DocumentLine
from hourbridge.common.money import RoundingMode, round_money
from tests.support.journals import line
from tests.vectors.data import cases

D = Decimal


def terms(percent: str, method: Any = "document") -> dict[str, TaxTerms]:
    return {"VAT": TaxTerms("VAT", D(percent), method, RoundingMode.HALF_UP, None)}


def taxable(amount: str | Decimal, position: int = 1) -> DocumentLine:
    return line(str(amount), position=position, tax_code="VAT")


@pytest.mark.parametrize("case", cases("lago", "invoices"))
def test_lago_taxes_invoices_alike(case: dict[str, str]) -> None:
    taxed = tax_lines([taxable(case["amount"])], terms(case["percent"]), "EUR")
    assert taxed.taxes[0].amount == D(case["tax"])
    assert taxed.total == D(case["total"])


@pytest.mark.parametrize("case", cases("lago", "credits"))
def test_lago_credits_alike(case: dict[str, str]) -> None:
    """Net is rounded first, then tax on it; the total is their sum, never rounded apart."""
    net = round_money(D(case["exact"]), "EUR")
    assert net == D(case["net"])
    taxed = tax_lines([taxable(net)], terms(case["percent"]), "EUR")
    assert (taxed.taxes[0].amount, taxed.total) == (D(case["tax"]), D(case["total"]))


@pytest.mark.parametrize("case", cases("lago", "one_by_one"))
def test_credits_one_by_one_never_exceed_their_invoice(case: dict[str, Any]) -> None:
    lines = [taxable(amount, at) for at, amount in enumerate(case["lines"], start=1)]
    invoice = tax_lines(lines, terms(case["percent"]), "USD")
    assert invoice.total == D(case["invoice"])
    apart = [tax_lines([each], terms(case["percent"]), "USD").total for each in lines]
    assert apart == [D(total) for total in case["each"]]
    assert sum(apart) == D(case["sum_of_each"]) > invoice.total
    standing = {
        each.line_id: StandingTax("VAT", each.amount, each.tax_amount or D(0))
        for each in invoice.lines
    }
    credited = []
    for each in invoice.lines:
        credit = credit_taxes([(each.line_id, each)], invoice.taxes, standing, "USD")
        credited.append(credit.total)
        standing = _less(standing, each, credit.taxes[0].amount)
    assert sum(credited) == invoice.total


def _less(
    standing: dict[str, StandingTax], credited: DocumentLine, tax: Decimal
) -> dict[str, StandingTax]:
    """Return what is left of an invoice's lines after a credit of one of them."""
    left = standing[credited.line_id]
    gone = StandingTax("VAT", left.taxable - credited.amount, left.tax - tax)
    return {**standing, credited.line_id: gone}
