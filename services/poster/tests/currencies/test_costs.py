"""Foreign costs: converted at their own date or the document's, and the same when corrected."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import InvoicingPolicy
from hourbridge.common.messages.events import Charge, ChargedCost, Document, DocumentKind
from hourbridge.poster.currencies.exchange_report import ExchangeReport
from tests.support.charges import make_charge
from tests.support.currencies import FRIDAY, publish
from tests.support.posting import BOOK, Poster

pytestmark = [pytest.mark.database]

SPENT = FRIDAY - timedelta(days=3)
ON_DEMAND = InvoicingPolicy(grouping="client_on_demand", lines="entry")


@pytest.fixture
def books(poster: Poster) -> Poster:
    publish(poster, {SPENT: {"USD": "1.20", "GBP": "0.80"}, FRIDAY: {"USD": "1.10"}})
    return poster


def cost(
    charge_id: str = "c1", amount: str = "70.30", at: date | None = None, **changes: Any
) -> Charge:
    """Return a cost in euro that Acme pays in dollars."""
    currency = changes.pop("cost_currency", "EUR")
    values: dict[str, Any] = {
        "kind": "expense",
        "rate": None,
        "amount": Decimal(amount),
        "work_date": SPENT,
        "invoicing": ON_DEMAND,
        "cost": ChargedCost(amount=Decimal(amount), currency=currency, converted_at=at),
        **changes,
    }
    return make_charge(charge_id, 0, **values)


def billed(poster: Poster, *charges: Charge) -> Document:
    poster.charge(*charges)
    poster.bill(through=FRIDAY)
    return poster.documents()[-1]


@pytest.mark.parametrize(("at", "total"), [(SPENT, "84.36"), (None, "77.33")])
def test_the_policys_date_decides_the_rate(books: Poster, at: date | None, total: str) -> None:
    document = billed(books, cost(at=at))
    (line,) = document.lines
    assert (document.total, document.currency, document.base_total) == (
        Decimal(total),
        "USD",
        None,
    )
    assert line.cost is not None
    assert line.cost.exchange is not None
    assert line.cost.exchange.wanted_date == (at or FRIDAY)
    assert line.cost.amount == Decimal("70.30")


def test_a_cost_in_one_currency_for_a_client_of_another(books: Poster) -> None:
    """Euro spent, pounds billed, dollars kept: each by published rates, each rounded once."""
    document = billed(books, cost(at=SPENT, currency="GBP"))
    assert (document.total, document.currency) == (Decimal("56.24"), "GBP")
    assert document.exchange is not None
    assert document.base_total == Decimal("84.36")


def test_a_cost_without_a_rate_stays_unbilled_until_it_arrives(books: Poster) -> None:
    peso = cost("c2", "1000.00", cost_currency="MXN")
    document = billed(books, cost(), peso)
    assert document.total == Decimal("77.33")
    assert books.states() == {"c1": "billed", "c2": "unbilled"}
    (row,) = books.parts.status.parked(BOOK, 10)
    assert (row["id"], row["code"], row["waits_for"]) == ("c2", "no_rate", "rate:MXN")
    books.bill(through=FRIDAY)
    publish(books, {FRIDAY: {"MXN": "20.00", "USD": "1.10"}})
    assert books.parts.status.parked(BOOK, 10) == []
    books.bill(through=FRIDAY)
    assert books.documents()[-1].total == Decimal("55.00")


def test_a_correction_takes_the_rate_that_was_billed(books: Poster) -> None:
    billed(books, cost())
    books.settle()
    publish(books, {FRIDAY: {"USD": "1.30"}})  # corrected since
    books.charge(cost(amount="50.00"), revision=2)
    books.settle()
    (credit,) = [d for d in books.documents() if d.kind is DocumentKind.CREDIT_MEMO]
    assert credit.total == Decimal("22.33")  # 77.33 less 50.00 at 1.10


def test_a_cost_that_changes_its_currency_takes_a_rate_of_its_own(books: Poster) -> None:
    billed(books, cost(at=SPENT))
    books.settle()
    books.charge(cost(amount="40.00", at=SPENT, cost_currency="GBP"), revision=2)
    books.settle()
    (credit,) = [d for d in books.documents() if d.kind is DocumentKind.CREDIT_MEMO]
    assert credit.total == Decimal("24.36")  # 84.36 less GBP 40.00 at 1.50


@pytest.mark.parametrize(("at", "difference"), [(SPENT, "0.00"), (None, "7.03")])
def test_the_report_names_what_another_days_rate_costs(
    books: Poster, at: date | None, difference: str
) -> None:
    billed(books, cost(at=at))
    (row,) = ExchangeReport(books.store).of_book(BOOK, FRIDAY)["costs"]
    assert (row["spent_base"], row["difference"], row["cause"]) == ("84.36", difference, "fx_date")


def test_costs_in_the_clients_currency_are_none_of_this(books: Poster) -> None:
    document = billed(books, cost(cost_currency="USD"))
    assert document.total == Decimal("70.30")
    assert document.lines[0].cost is None or document.lines[0].cost.exchange is None
