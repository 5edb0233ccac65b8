"""The double entry of every kind of document, in its own currency and in the book's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.postings import book_currency, postings_of
from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole as Role
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import Document, DocumentKind, DocumentLine
from tests.support.journals import USD, document, line, posting, rate, tax

D = Decimal


def moved(document: Document, chart: Chart = USD) -> dict[str, str]:
    """Return the amounts by role."""
    return {p.role.value: f"{p.amount:f}" for p in postings_of(document, chart)}


def in_base(document: Document, chart: Chart = USD) -> dict[str, str]:
    """Return the amounts in the book's currency by role."""
    return {p.role.value: f"{p.base_amount:f}" for p in postings_of(document, chart)}


SALE = [line("100.00"), line("23.45", position=2, role=Role.REIMBURSABLE)]
PURCHASE = [
    line("600.00", role=Role.SUBCONTRACTOR_COST),
    line("-60.00", position=2, role=Role.RETAINAGE_PAYABLE),
]
COSTS = [line("45.00"), line("5.00", position=2)]
EXPECTED: dict[DocumentKind, tuple[list[DocumentLine], dict[str, str]]] = {
    DocumentKind.INVOICE: (
        SALE,
        {
            "receivable": "143.45",
            "revenue": "-100.00",
            "reimbursable": "-23.45",
            "tax_payable": "-20.00",
        },
    ),
    DocumentKind.CREDIT_MEMO: (
        SALE,
        {
            "receivable": "-143.45",
            "revenue": "100.00",
            "reimbursable": "23.45",
            "tax_payable": "20.00",
        },
    ),
    DocumentKind.VENDOR_BILL: (
        PURCHASE,
        {
            "payable": "-560.00",
            "subcontractor_cost": "600.00",
            "retainage_payable": "-60.00",
            "input_tax": "20.00",
        },
    ),
    DocumentKind.VENDOR_CREDIT: (
        PURCHASE,
        {
            "payable": "560.00",
            "subcontractor_cost": "-600.00",
            "retainage_payable": "60.00",
            "input_tax": "-20.00",
        },
    ),
    DocumentKind.CHECK: (COSTS, {"bank": "-70.00", "expense": "50.00", "input_tax": "20.00"}),
    DocumentKind.CASH_PURCHASE: (
        COSTS,
        {"bank": "-70.00", "expense": "50.00", "input_tax": "20.00"},
    ),
    DocumentKind.CREDIT_CARD_CHARGE: (
        COSTS,
        {"credit_card": "-70.00", "expense": "50.00", "input_tax": "20.00"},
    ),
    DocumentKind.CREDIT_CARD_CREDIT: (
        COSTS,
        {"credit_card": "70.00", "expense": "-50.00", "input_tax": "-20.00"},
    ),
    DocumentKind.PAYMENT: (COSTS, {"bank": "70.00", "receivable": "-70.00"}),
    DocumentKind.BILL_PAYMENT: (COSTS, {"bank": "-70.00", "payable": "70.00"}),
    DocumentKind.TIME_ACTIVITY: (COSTS, {}),
    DocumentKind.JOURNAL_ENTRY: (COSTS, {}),
}


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_every_kind_has_its_double_entry(kind: DocumentKind) -> None:
    lines, expected = EXPECTED[kind]
    assert moved(document(kind, lines, taxes=(tax("20.00"),))) == expected


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_every_kind_balances_in_two_currencies(kind: DocumentKind) -> None:
    lines, expected = EXPECTED[kind]
    total = sum((each.amount for each in lines), D("20.00"))
    base_total = (total * D("1.1919")).quantize(D("0.01"))
    foreign = document(
        kind,
        lines,
        taxes=(tax("20.00"),),
        currency="EUR",
        exchange=rate("1.1919"),
        base_total=base_total,
    )
    assert moved(foreign) == expected
    assert sum(p.base_amount for p in postings_of(foreign, USD)) == 0
    if expected:
        assert abs(postings_of(foreign, USD)[0].base_amount) == base_total


def test_what_a_document_states_is_taken_at_its_word() -> None:
    stated = (
        posting(Role.BANK, "10000", "11498"),
        posting(Role.RECEIVABLE, "-10000", "-11919"),
        posting(Role.FX_REALIZED, "0", "421"),
        posting(Role.ROUNDING, "0"),
    )
    entry = document(DocumentKind.PAYMENT, postings=stated, currency="EUR")
    assert postings_of(entry, USD) == stated[:3]


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (("-9", "-10"), "in its currency"),
        (("-11", "-10"), "in its currency"),
        (("-10", "-9"), "in its book's currency"),
        (("-10", "-11"), "in its book's currency"),
    ],
)
def test_what_does_not_balance_is_refused(second: tuple[str, str], words: str) -> None:
    stated = (posting(Role.BANK, "10"), posting(Role.RECEIVABLE, *second))
    with pytest.raises(InvariantViolated, match=words) as refused:
        postings_of(document(DocumentKind.PAYMENT, postings=stated, number="HBP-7"), USD)
    assert refused.value.ids["number"] == "HBP-7"
    assert abs(refused.value.ids["off_by"]) == 1


def test_movements_of_an_account_are_one() -> None:
    travel = LedgerReference(name="Travel")
    lines = [
        line("10.00"),
        line("20.00", position=2),
        line("1.00", position=3, account=travel),
        line("2.00", position=4, account=travel),
    ]
    first, *rest = postings_of(document(lines=lines), USD)
    assert [(p.role, p.account, p.amount) for p in rest] == [
        (Role.REVENUE, None, D("-30.00")),
        (Role.REVENUE, travel, D("-3.00")),
    ]
    assert (first.client, first.customer) == ("Acme", LedgerReference(name="Acme"))


def test_a_document_without_a_client_names_none() -> None:
    bill = document(
        DocumentKind.VENDOR_BILL,
        COSTS,
        client="",
        customer=None,
        vendor=LedgerReference(name="Bravo"),
    )
    assert {(p.client, p.vendor.name if p.vendor else "") for p in postings_of(bill, USD)} == {
        (None, "Bravo")
    }


# --- the book's currency ----------------------------------------------------------------------


def test_lines_of_a_third_each_sum_to_the_document() -> None:
    lines = [
        line("33.33", base_amount=D("39.73")),
        line("33.33", position=2, base_amount=D("39.73"), role=Role.REIMBURSABLE),
        line("33.33", position=3, base_amount=D("39.72"), role=Role.MARKUP_REVENUE),
    ]
    foreign = document(lines=lines, currency="EUR", base_total=D("119.18"), exchange=rate("1.1919"))
    assert in_base(foreign) == {
        "receivable": "119.18",
        "revenue": "-39.73",
        "reimbursable": "-39.73",
        "markup_revenue": "-39.72",
    }


@pytest.mark.parametrize("kind", [DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO])
def test_tax_takes_what_the_lines_leave_by_largest_remainder(kind: DocumentKind) -> None:
    taxes = (tax("10.00", code="A"), tax("10.00", code="B"), tax("10.01", code="C"))
    sale = document(
        kind,
        [line("100.00", base_amount=D("119.19"))],
        taxes=taxes,
        currency="EUR",
        base_total=D("154.96"),
    )
    sign = "-" if kind is DocumentKind.INVOICE else ""
    assert in_base(sale)["tax_payable"] == f"{sign}35.77"


def test_lines_without_base_amounts_share_the_total_by_largest_remainder() -> None:
    roles = (Role.REVENUE, Role.REIMBURSABLE, Role.MARKUP_REVENUE)
    lines = [line("33.33", position=n, role=role) for n, role in enumerate(roles, start=1)]
    foreign = document(lines=lines, currency="EUR", base_total=D("119.18"), exchange=rate("1.1919"))
    assert in_base(foreign) == {
        "receivable": "119.18",
        "revenue": "-39.73",
        "reimbursable": "-39.73",
        "markup_revenue": "-39.72",
    }


def test_lines_of_either_sign_share_the_total() -> None:
    bill = document(
        DocumentKind.VENDOR_BILL,
        [
            line("100.01", role=Role.SUBCONTRACTOR_COST),
            line("-10.00", position=2, role=Role.RETAINAGE_PAYABLE),
        ],
        currency="GBP",
        base_total=D("123.86"),
        exchange=rate("1.37601"),
    )
    found = in_base(bill)
    assert found["payable"] == "-123.86"
    assert D(found["subcontractor_cost"]) + D(found["retainage_payable"]) == D("123.86")
    assert abs(D(found["retainage_payable"]) + D("13.76")) <= D("0.01")


def test_what_is_left_over_without_anything_to_take_it_is_refused() -> None:
    lines = [line("100.00", base_amount=D("119.19"))]
    for total in ("119.20", "119.18"):
        with pytest.raises(InvariantViolated, match="don't sum"):
            postings_of(document(lines=lines, currency="EUR", base_total=D(total)), USD)
    cancelling = [line("1.00", base_amount=D(1)), line("0.00", position=2)]
    with pytest.raises(InvariantViolated, match="don't sum"):
        postings_of(document(lines=cancelling, currency="EUR", base_total=D(2)), USD)


def test_free_lines_cost_nothing_in_any_currency() -> None:
    lines = [line("1.00", base_amount=D("1.19")), line("0.00", position=2)]
    foreign = document(lines=lines, currency="EUR", base_total=D("1.19"))
    assert in_base(foreign) == {"receivable": "1.19", "revenue": "-1.19"}


def test_without_a_rate_a_document_stays_in_its_own_currency() -> None:
    assert in_base(document(lines=[line("5.00")], currency="EUR")) == {
        "receivable": "5.00",
        "revenue": "-5.00",
    }


@pytest.mark.parametrize(
    ("changes", "chart", "expected"),
    [
        ({}, USD, "EUR"),
        ({"base_total": D(6)}, USD, "USD"),
        ({"base_total": D(6)}, Chart(), "EUR"),
        ({"base_total": D(6), "exchange": rate("0.9", base="GBP")}, USD, "GBP"),
        ({"postings": (posting(Role.BANK, "0"),)}, USD, "USD"),
    ],
)
def test_whose_currency_base_amounts_are_in(
    changes: dict[str, Any], chart: Chart, expected: str
) -> None:
    assert book_currency(document(currency="EUR", **changes), chart) == expected
