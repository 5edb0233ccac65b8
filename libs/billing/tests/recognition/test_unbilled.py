"""Work that counts before it is invoiced, and what an invoice makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.recognition.unbilled import (
    Invoiced,
    billing_postings,
    invoiced,
    realisation_percent,
    recognition_postings,
    worth,
)
from hourbridge.common.book import LedgerReference
from hourbridge.common.messages.events import (
    Charge,
    DocumentLine,
    LineAdjustment,
    Payable,
    Posting,
)
from tests.support.charges import fee, make_charge, make_expense, minutes


def to_base(amount: Decimal, currency: str, _day: date) -> Decimal:
    assert currency == "EUR"
    return amount * 2


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        (make_charge("a", minutes(50), rate="100.00"), "83.33"),
        (make_charge("a", minutes(50), rate="100.00", billable_seconds=1800), "50.00"),
        (make_charge("a", 3600, rate="90.00", currency="EUR"), "180.00"),
        (make_charge("a", 3600, rate=None, flat_fee=fee()), "0"),
        (make_expense("a"), "0"),
        (
            make_charge(
                "a", payable=Payable(vendor=LedgerReference(name="B"), reason="subcontractor")
            ),
            "0",
        ),
    ],
)
def test_what_work_is_worth_before_it_is_billed(charge: Charge, expected: str) -> None:
    assert worth(charge, to_base, "USD") == Decimal(expected)


def line(amount: str, **changes: Any) -> DocumentLine:
    return DocumentLine(
        line_id="l",
        position=1,
        description="x",
        quantity=Decimal(1),
        unit_price=Decimal(amount),
        amount=Decimal(amount),
        **changes,
    )


def adjusted(amount: str) -> LineAdjustment:
    return LineAdjustment(amount=Decimal(amount), reason="goodwill", by="ann")


def said(postings: Sequence[Posting]) -> list[str]:
    assert sum(posting.amount for posting in postings) == 0
    return [f"{posting.role} {posting.amount}" for posting in postings]


def test_charged_and_uncharged() -> None:
    assert said(recognition_postings(Decimal("80.00"), "Acme")) == [
        "unbilled 80.00",
        "revenue -80.00",
    ]
    assert said(recognition_postings(Decimal("-5.00"), "")) == ["unbilled -5.00", "revenue 5.00"]


@pytest.mark.parametrize(
    ("changes", "gross", "written_down"),
    [
        ({}, "700.00", "0"),
        ({"adjustment": adjusted("-100.00")}, "800.00", "100.00"),
        ({"adjustment": adjusted("50.00")}, "650.00", "-50.00"),
        ({"discount": Decimal("20.00"), "adjustment": adjusted("-5.00")}, "725.00", "25.00"),
        ({"base_amount": Decimal("770.00"), "discount": Decimal("10.00")}, "781.00", "11.00"),
    ],
)
def test_what_a_line_made_of_the_work(
    changes: dict[str, Any], gross: str, written_down: str
) -> None:
    made = invoiced(line("700.00", **changes), Decimal("790.00"), "USD")
    assert (made.gross, made.written_down) == (Decimal(gross), Decimal(written_down))


def test_beside_the_invoice_the_asset_goes_and_revenue_stands_once() -> None:
    """Recognized 790, priced 800 by rounding, billed 700: revenue is 800, let off are 100."""
    made = Invoiced(Decimal("790.00"), Decimal("800.00"), Decimal("700.00"))
    assert said(billing_postings([made], "Acme")) == [
        "revenue 690.00",
        "write_down 100.00",
        "unbilled -790.00",
    ]
    assert realisation_percent([made]) == Decimal("87.5")
    nothing = Invoiced(Decimal(0), Decimal(0), Decimal(0))
    assert billing_postings([nothing], "Acme") == ()
    assert realisation_percent([nothing]) is None


def test_a_line_that_was_let_off_altogether() -> None:
    made = invoiced(line("0.00", adjustment=adjusted("-60.00")), Decimal("60.00"), "USD")
    assert said(billing_postings([made], "Acme")) == ["write_down 60.00", "unbilled -60.00"]
