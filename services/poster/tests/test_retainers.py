"""Retainers: one sub-ledger per client and engagement, never below zero, equal to the account."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from hourbridge.common.runtime.admin import NotFound
from hourbridge.poster.decisions import Decision
from hourbridge.poster.retainers.commands import Request
from hourbridge.poster.retainers.refusals import RetainerExceeded, RetainerRefused
from hourbridge.poster.retainers.report import RetainerReport
from tests.support.charges import make_charge
from tests.support.posting import BOOK, Poster
from tests.support.retainers import (
    ACCOUNTS,
    APRIL_30,
    JAN_8,
    applied,
    asked,
    client,
    entries,
    fund,
    invoice,
    money,
    pay,
    prepare,
    proof,
    settle,
    shown,
)


def test_two_invoices_use_the_balance_up(poster: Poster) -> None:
    prepare(poster)
    fund(poster, "4000.00")
    invoice(poster, "a", "2750.50", date(2026, 2, 10))
    assert shown(poster)["balance"] == money("1249.50")
    invoice(poster, "b", "1600.00", date(2026, 3, 10))
    assert applied(poster) == [money("2750.50"), money("1249.50")]
    head = shown(poster)
    assert (head["balance"], head["available"]) == (0, 0)
    assert [row["open"] for row in head["open_invoices"]] == [money("350.50")]
    months = proof(poster)["months"]
    assert [(m["month"], m["closing"]) for m in months] == [
        ("2026-01", money("4000.00")),
        ("2026-02", money("1249.50")),
        ("2026-03", money("0.00")),
        ("2026-04", money("0.00")),
    ]
    before = poster.documents()
    settle(poster)
    assert poster.documents() == before


def test_no_more_than_either_side_allows(poster: Poster) -> None:
    prepare(poster, automatic=False)
    fund(poster, "900.00")
    invoice(poster, "a", "350.00", date(2026, 2, 10))
    commands = poster.parts.retainers.commands
    with pytest.raises(RetainerExceeded, match="allows 350.00, the balance 900.00"):
        commands.apply(asked("900.00"), "HB-1")
    with pytest.raises(RetainerExceeded):
        commands.apply(asked("350.01"), None)
    with pytest.raises(RetainerRefused):
        commands.apply(asked("0.001"), None)
    assert applied(poster) == []
    (made,) = commands.apply(asked("150.00"), "HB-1")
    assert made.document_date == date(2026, 2, 28)
    settle(poster)
    commands.apply(asked(), None)
    settle(poster)
    assert applied(poster) == [money("150.00"), money("200.00")]
    with pytest.raises(RetainerExceeded, match="allows 0"):
        commands.apply(asked(), None)
    (refund,) = commands.refund(asked(day=date(2026, 4, 1)))
    assert [(p.role, p.amount) for p in refund.postings] == [
        ("customer_deposits", money("550.00")),
        ("bank", money("-550.00")),
    ]
    settle(poster)
    with pytest.raises(RetainerRefused):
        commands.refund(asked())
    head = shown(poster)
    assert (head["balance"], head["refunds"], head["applications"]) == (0, 550, 350)
    proof(poster)


@pytest.mark.parametrize("through", ["task", "command"])
def test_racing_invoices_share_the_balance(poster: Poster, through: str) -> None:
    prepare(poster, automatic=through == "task")
    fund(poster, "1000.00")
    for charge_id, day in (("a", date(2026, 2, 3)), ("b", date(2026, 3, 3))):
        poster.charge(
            make_charge(
                charge_id, rate="640.00", work_date=day, retainer="main", workflow="retainer"
            )
        )
    poster.bill(APRIL_30)
    poster.post(rounds=3)
    start = threading.Barrier(4)
    refused: list[RetainerExceeded] = []

    def race() -> None:
        parts = poster.process()
        start.wait()
        if through == "task":
            parts.retainers.keeper.run_due()
            return
        try:
            parts.retainers.commands.apply(asked("640.00"), None)
        except RetainerExceeded as error:
            refused.append(error)

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    settle(poster)
    if through == "task":
        assert applied(poster) == [money("640.00"), money("360.00")]
    else:
        assert (applied(poster), len(refused)) == ([money("640.00")], 3)
        poster.parts.retainers.commands.apply(asked("360.00"), None)
        settle(poster)
    assert shown(poster)["balance"] == 0
    proof(poster)


def test_an_invoice_waits_for_an_earlier_one_that_is_on_its_way(poster: Poster) -> None:
    prepare(poster)
    fund(poster, "500.00")
    for charge_id, day in (("a", date(2026, 2, 3)), ("b", date(2026, 3, 3))):
        poster.charge(
            make_charge(
                charge_id, rate="400.00", work_date=day, retainer="main", workflow="retainer"
            )
        )
    poster.bill(APRIL_30)
    first, second = [d for d in poster.documents() if d.kind == "invoice"]
    rows = "UPDATE ledger_operation SET available_at = now() + interval '9 years' "
    with poster.store.transaction() as connection:
        connection.exec_driver_sql(f"{rows} WHERE document_id = '{first.document_id}'")
    poster.post(rounds=2)
    poster.parts.retainers.keeper.run_due()
    assert applied(poster) == []
    with poster.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE ledger_operation SET available_at = '2026-01-01'")
    settle(poster)
    found = [d.settles[0] for d in poster.documents() if d.settles]
    assert [(s.number, s.amount) for s in found] == [
        (first.number, money("400.00")),
        (second.number, money("100.00")),
    ]


def test_money_that_is_only_announced_pays_for_nothing(poster: Poster) -> None:
    poster.configure(
        2, accounts=ACCOUNTS, clients=(client(),), review={"kinds": ("journal_entry",)}
    )
    fund(poster, "500.00")
    invoice(poster, "a", "300.00", date(2026, 2, 10))
    head = shown(poster)
    assert (head["balance"], head["available"], applied(poster)) == (500, 0, [])
    (receipt,) = entries(poster)
    poster.parts.decisions.release(receipt.document_id, Decision("ann"))
    settle(poster)
    application = entries(poster)[-1]
    assert (application.status, application.total) == ("draft", money("300.00"))
    poster.parts.decisions.withdraw(application.document_id, Decision("ann"))
    settle(poster)
    assert shown(poster)["available"] == 500
    assert len(entries(poster)) == 2, "what a person has turned down isn't tried again"
    poster.parts.retainers.commands.apply(asked(), None)
    assert shown(poster)["balance"] == 200


def test_credited_work_comes_back_and_pays_the_next_invoice(poster: Poster) -> None:
    prepare(poster)
    fund(poster, "600.00")
    invoice(poster, "a", "600.00", date(2026, 2, 10))
    assert shown(poster)["balance"] == 0
    poster.charge(
        make_charge(
            "a",
            1800,
            rate="600.00",
            work_date=date(2026, 2, 10),
            retainer="main",
            workflow="retainer",
        ),
        revision=2,
    )
    settle(poster)
    back = entries(poster)[-1]
    assert (back.purpose, back.total) == ("retainer_application", money("300.00"))
    assert back.reverses_document_id == entries(poster)[1].document_id
    assert [s.amount for s in back.settles] == [money("-300.00")]
    assert (shown(poster)["balance"], shown(poster)["applications"]) == (300, 300)
    invoice(poster, "b", "450.00", date(2026, 3, 10))
    assert shown(poster)["balance"] == 0
    last = entries(poster)[-1]
    assert last.total == money("300.00")
    assert last.document_date >= back.document_date, "not before the money came back"
    proof(poster)


def test_trust_money_is_never_kept(poster: Poster) -> None:
    prepare(poster, kind="trust")
    fund(poster, "80.00")
    with pytest.raises(RetainerRefused, match="client's"):
        poster.parts.retainers.commands.forfeit(asked())
    invoice(poster, "a", "30.00", date(2026, 2, 10))
    assert {posting.role for posting in entries(poster)[-1].postings} == {
        "customer_deposits",
        "receivable",
        "bank",
        "trust_bank",
    }
    poster.parts.retainers.commands.refund(asked("50.00"))
    assert shown(poster)["balance"] == 0


def test_an_advance_is_forfeited_not_refunded(poster: Poster) -> None:
    prepare(poster, kind="non_refundable", automatic=False)
    fund(poster, "80.00")
    with pytest.raises(RetainerRefused, match="forfeit"):
        poster.parts.retainers.commands.refund(asked())
    poster.parts.retainers.commands.forfeit(asked("80.00", note="lapsed"))
    settle(poster)
    forfeit = entries(poster)[-1]
    assert (forfeit.purpose, forfeit.memo) == (
        "retainer_forfeit",
        "Retainer main forfeited: lapsed",
    )
    assert shown(poster)["forfeits"] == 80


def test_a_retainer_is_opened_once(poster: Poster) -> None:
    prepare(poster)
    commands = poster.parts.retainers.commands
    assert len(commands.open(asked("70.00", day=JAN_8), None, None, in_ledger=True)) == 1
    assert commands.open(asked("70.00", day=JAN_8), None, None, in_ledger=True) == []
    with pytest.raises(RetainerRefused, match=r"70\.00"):
        commands.open(asked("71.00"), None, None, in_ledger=True)
    (opening,) = entries(poster)
    assert (opening.status, opening.purpose) == ("posted", "retainer_opening")
    assert poster.post() == 0
    assert shown(poster)["available"] == 70


def test_unknown_retainers_are_refused(poster: Poster) -> None:
    prepare(poster)
    commands = poster.parts.retainers.commands
    unknown = Request(BOOK, "Acme", "other", "ann", money("5.00"))
    with pytest.raises(RetainerRefused, match="no policy"):
        commands.open(unknown, None, None, in_ledger=False)
    with pytest.raises(RetainerRefused, match="no such client"):
        commands.open(Request(BOOK, "Nobody", "main", "a", money("5")), None, None, in_ledger=True)
    with pytest.raises(NotFound):
        commands.refund(asked())
    with pytest.raises(NotFound):
        commands.refund(Request("nobody's", "Acme", "main", "ann"))
    commands.open(asked("5.00"), None, None, in_ledger=False)
    with pytest.raises(NotFound):
        commands.apply(asked(), "HB-77")
    with pytest.raises(RetainerRefused, match="kept in USD"):
        commands.open(asked("5.00"), "EUR", None, in_ledger=False)


def test_a_balance_below_its_threshold_asks_for_more(poster: Poster) -> None:
    prepare(poster, top_up_below=money("500"), top_up_to=money("2000"))
    fund(poster, "800.00")
    report = RetainerReport(poster.store, poster.clock)
    assert report.listed(BOOK)["top_ups"] == []
    invoice(poster, "a", "400.00", date(2026, 2, 10))
    invoice(poster, "b", "150.00", date(2026, 3, 10))
    (request,) = report.listed(BOOK)["top_ups"]
    assert (request["balance"], request["amount"]) == (250, 1750)
    pay(poster, "p1", "1750.00")
    settle(poster)
    assert report.listed(BOOK)["top_ups"] == []
    assert shown(poster)["balance"] == 2000
