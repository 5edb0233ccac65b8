"""Retainers in another currency: each receipt at its own rate, to the last cent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.book import (
    ClientMapping,
    CurrencyPolicy,
    LedgerReference,
    ProjectMapping,
    RetainerPolicy,
    Workflow,
)
from hourbridge.common.exchange_rates import PublishedRate
from hourbridge.poster.currencies.rate_store import import_rates
from tests.support.charges import make_charge
from tests.support.posting import Poster
from tests.support.retainers import (
    ACCOUNTS,
    APRIL_30,
    JAN_8,
    asked,
    client,
    entries,
    fund,
    invoice,
    money,
    pay,
    proof,
    settle,
    shown,
)

GBP_RATES = {JAN_8: "1.30", date(2026, 2, 28): "1.25", date(2026, 3, 31): "1.20"}


class Published:
    """Rates against GBP, so that they are direct."""

    source, pivot = "own", "GBP"

    def rates(self) -> Iterator[PublishedRate]:
        for day, value in GBP_RATES.items():
            yield PublishedRate(day, "USD", Decimal(value))


def prepare_foreign(poster: Poster, kind: str) -> None:
    rule = client(kind=kind).model_copy(update={"currency": "GBP"})
    currencies = CurrencyPolicy(source="own", pivot="GBP", days_back_max=31)
    poster.configure(2, accounts=ACCOUNTS, clients=(rule,), currencies=currencies)
    with poster.store.transaction() as connection:
        import_rates(connection, Published(), now=poster.clock.now())


@pytest.mark.parametrize(("kind", "is_advance"), [("standard", False), ("non_refundable", True)])
def test_a_foreign_retainer_pays_at_its_own_rate(
    poster: Poster, kind: str, *, is_advance: bool
) -> None:
    prepare_foreign(poster, kind)
    fund(poster, "100.00")
    charge = make_charge(
        "a",
        rate="240.00",
        currency="GBP",
        work_date=date(2026, 2, 10),
        retainer="main",
        workflow="retainer",
    )
    poster.charge(charge)
    poster.bill(APRIL_30)
    settle(poster)
    application = next(d for d in entries(poster) if d.purpose == "retainer_application")
    assert [(p.role, p.amount, p.base_amount) for p in application.postings] == [
        ("customer_deposits", money("100.00"), money("130.00")),
        ("receivable", money("-100.00"), money("-125.00")),
        ("fx_realized", 0, money("-5.00")),
    ]
    assert application.exchange is not None
    assert application.exchange.value == money("1.30")
    beside = [d for d in entries(poster) if d.purpose == "retainer_exchange"]
    assert [[(p.role, p.amount) for p in d.postings] for d in beside] == (
        [[("fx_realized", money("5.00")), ("revenue", money("-5.00"))]] if is_advance else []
    )
    log = proof(poster)
    assert log["months"][-1]["base_closing"] == 0


def foreign_invoice(poster: Poster, charge_id: str, amount: str, seconds: int = 3600) -> None:
    charge = make_charge(
        charge_id,
        seconds,
        rate=amount,
        currency="GBP",
        work_date=date(2026, 2, 10),
        retainer="main",
        workflow="retainer",
    )
    poster.charge(charge, revision=3600 - seconds + 1)


def test_what_comes_back_in_another_currency_undoes_its_own_rates(poster: Poster) -> None:
    prepare_foreign(poster, "non_refundable")
    fund(poster, "100.00")
    foreign_invoice(poster, "a", "100.00")
    poster.bill(APRIL_30)
    settle(poster)
    foreign_invoice(poster, "a", "100.00", seconds=1800)
    settle(poster)
    taken, earned, back, unearned = entries(poster)[1:]
    for there, again in ((taken, back), (earned, unearned)):
        halves = [(p.role, p.base_amount / -2) for p in there.postings]
        assert [(p.role, p.base_amount) for p in again.postings] == halves
    assert shown(poster)["base_balance"] == money("65.00")
    proof(poster)


def test_money_of_several_receipts_is_carried_at_what_it_cost(poster: Poster) -> None:
    prepare_foreign(poster, "standard")
    fund(poster, "60.00")
    pay(poster, "p1", "40.00", currency="GBP", payment_date=date(2026, 2, 28))
    settle(poster)
    foreign_invoice(poster, "a", "90.00")
    poster.bill(APRIL_30)
    settle(poster)
    application = entries(poster)[-1]
    assert application.postings[0].base_amount == money("78.00") + money("37.50")
    assert application.exchange is not None
    assert application.exchange.rate_id.startswith("retainer:")
    assert round(application.exchange.value * 90, 2) == money("115.50")
    proof(poster)


def test_a_balance_is_taken_over_at_what_it_was_carried_at(poster: Poster) -> None:
    prepare_foreign(poster, "standard")
    opening = asked("100.00", day=JAN_8)
    poster.parts.retainers.commands.open(opening, None, money("117.11"), in_ledger=True)
    assert shown(poster)["base_balance"] == money("117.11")
    proof(poster)


def test_a_project_has_a_retainer_of_its_own(poster: Poster) -> None:
    plain = ClientMapping(client="Acme", customer=LedgerReference(name="Acme"))
    other = ClientMapping(client="Birch", customer=LedgerReference(name="Birch"))
    rules = [
        ProjectMapping(
            project=name,
            client=owner,
            workflow=Workflow.RETAINER,
            retainer=RetainerPolicy(engagement="main", kind=kind),
        )
        for name, owner, kind in (("B", "Birch", "trust"), ("P1", "Acme", "non_refundable"))
    ]
    poster.configure(2, accounts=ACCOUNTS, clients=(plain, other), projects=tuple(rules))
    fund(poster, "80.00")
    assert shown(poster)["kind"] == "non_refundable"
    invoice(poster, "a", "30.00", date(2026, 2, 10))
    (movement,) = [m for m in shown(poster)["movements"] if m["kind"] == "application"]
    assert movement["projects"] == {"P1": money("30.00")}


def test_without_a_rate_a_receipt_waits(poster: Poster) -> None:
    prepare_foreign(poster, "standard")
    reason = pay(poster, "p1", "10.00", currency="GBP", payment_date=date(2025, 6, 1))
    assert reason is not None
    assert reason.code == "no_rate"
    assert entries(poster) == []


def test_refunds_of_foreign_money_cost_what_they_cost(poster: Poster) -> None:
    prepare_foreign(poster, "trust")
    fund(poster, "100.00")
    poster.parts.retainers.commands.refund(asked(day=date(2026, 3, 31)))
    settle(poster)
    refund, beside = entries(poster)[-2:]
    assert [(p.role, p.base_amount) for p in refund.postings] == [
        ("customer_deposits", money("120.00")),
        ("trust_bank", money("-120.00")),
    ]
    assert [(p.role, p.amount, beside.currency) for p in beside.postings] == [
        ("customer_deposits", money("10.00"), "USD"),
        ("fx_realized", money("-10.00"), "USD"),
    ]
    proof(poster)
