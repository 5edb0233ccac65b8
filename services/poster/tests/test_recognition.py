"""Revenue that counts when it isn't invoiced: deferred lines and unbilled work."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.book import CurrencyPolicy, DeferralRule, LedgerReference, RecognitionPolicy
from hourbridge.common.exchange_rates import PublishedRate
from hourbridge.common.messages.events import ChargedCost, Document
from hourbridge.common.runtime.admin import NotFound
from hourbridge.poster.currencies.rate_store import import_rates
from hourbridge.poster.decisions import Decision
from hourbridge.poster.recognition.report import RecognitionReport
from tests.support.charges import exact_time, make_charge, make_expense, minutes
from tests.support.posting import BOOK, MARCH_31, Poster

SUPPORT = LedgerReference(name="Support")
DECEMBER = date(2026, 12, 31)


def settle(poster: Poster) -> None:
    for _ in range(3):
        poster.settle()
        poster.parts.recognition.recognizer.run_due()
    poster.settle()


def entries(poster: Poster, purpose: str | None = None) -> list[Document]:
    found = [document for document in poster.documents() if document.postings]
    return [document for document in found if purpose in (None, document.purpose)]


def said(document: Document) -> list[str]:
    return [f"{posting.role} {posting.amount}" for posting in document.postings]


def report(poster: Poster) -> dict[str, Any]:
    return RecognitionReport(poster.store).of_book(BOOK)


def later(poster: Poster) -> None:
    """Let the year end."""
    poster.clock.instant = datetime(2027, 1, 2, 12, tzinfo=UTC)


# --- deferred -------------------------------------------------------------------------------


def defers(poster: Poster, **rule: Any) -> None:
    policy = RecognitionPolicy(deferrals=(DeferralRule(item=SUPPORT, **rule),))
    poster.configure(2, recognition=policy)


def test_an_invoiced_line_is_earned_over_its_months(poster: Poster) -> None:
    defers(poster, months=4, begins="next_month")
    poster.charge(make_charge("a", rate="100.03", item=SUPPORT), make_charge("b", rate="70.00"))
    poster.bill()
    settle(poster)
    (deferred,) = entries(poster)
    assert (deferred.purpose, deferred.document_date) == ("deferral", MARCH_31)
    assert said(deferred) == ["revenue 100.03", "deferred_revenue -100.03"]
    later(poster)
    for _ in range(2):
        poster.parts.recognition.recognizer.run_months()
        settle(poster)
        months = entries(poster, "deferral_release")
        assert [(m.document_date, m.total) for m in months] == [
            (date(2026, 4, 30), Decimal("25.01")),
            (date(2026, 5, 31), Decimal("25.01")),
            (date(2026, 6, 30), Decimal("25.01")),
            (date(2026, 7, 31), Decimal("25.00")),
        ]
        assert said(months[0]) == ["deferred_revenue 25.01", "revenue -25.01"]
    (row,) = report(poster)["deferrals"]
    assert (row["total"], row["earned"], row["deferred"]) == (
        Decimal("100.03"),
        Decimal("100.03"),
        0,
    )
    assert {document.status for document in poster.documents()} == {"posted"}


def test_only_what_is_over_is_earned(poster: Poster) -> None:
    defers(poster, months=3)
    poster.charge(make_charge("a", rate="90.00", item=SUPPORT))
    poster.bill()
    settle(poster)
    answer = poster.parts.recognition.recognizer.recognize(BOOK, DECEMBER)
    assert answer["through"] == date(2026, 4, 2), "never a day that hasn't come"
    assert [m.total for m in entries(poster, "deferral_release")] == [Decimal("30.00")]


def test_credited_work_is_not_earned(poster: Poster) -> None:
    defers(poster, months=3)
    poster.charge(make_charge("a", rate="90.00", item=SUPPORT))
    poster.bill()
    settle(poster)
    poster.parts.recognition.recognizer.run_months()
    charge = make_charge("a", minutes(30), rate="90.00", item=SUPPORT)
    poster.charge(charge, revision=2)
    settle(poster)
    first, second = entries(poster, "deferral")
    assert said(second) == ["revenue -45.00", "deferred_revenue 45.00"]
    later(poster)
    poster.parts.recognition.recognizer.run_months()
    months = [m.postings[0].amount for m in entries(poster, "deferral_release")]
    assert months == [Decimal("30.00"), Decimal("15.00")], "April had earned its share already"
    assert report(poster)["deferrals"][0]["deferred"] == 0
    assert first.document_date <= second.document_date


def test_what_was_deferred_is_earned_when_the_rule_has_gone(poster: Poster) -> None:
    defers(poster, months=2)
    poster.charge(make_charge("a", rate="90.00", item=SUPPORT))
    poster.bill()
    settle(poster)
    poster.configure(3)
    later(poster)
    poster.parts.recognition.recognizer.run_months()
    assert len(entries(poster, "deferral_release")) == 2


# --- unbilled -------------------------------------------------------------------------------


def accrues(poster: Poster, **changes: Any) -> None:
    poster.configure(2, recognition=RecognitionPolicy(unbilled=True), **changes)


def test_work_counts_when_it_is_charged_and_the_invoice_replaces_it(poster: Poster) -> None:
    accrues(poster)
    poster.charge(
        make_charge("a", minutes(125), rate="120.00", rounding=exact_time()),
        make_charge("b", minutes(7), rate="100.00"),
    )
    for _ in range(2):
        poster.parts.recognition.recognizer.run_months()
    (counted,) = entries(poster)
    assert (said(counted), counted.document_date) == (
        ["unbilled 261.67", "revenue -261.67"],
        MARCH_31,
    )
    assert report(poster)["unbilled"] == [{"client": "Acme", "amount": Decimal("261.67")}]
    poster.bill()
    settle(poster)
    replaced = entries(poster, "unbilled_invoiced")
    assert [said(document) for document in replaced] == [["revenue 261.67", "unbilled -261.67"]]
    assert report(poster)["unbilled"] == []
    (row,) = report(poster)["realisation"]
    assert (row["recognized"], row["gross"], row["billed"]) == (
        Decimal("261.67"),
        Decimal("260.00"),
        Decimal("260.00"),
    )
    before = poster.documents()
    poster.parts.recognition.recognizer.run_months()
    settle(poster)
    assert poster.documents() == before


def test_work_that_is_billed_at_once_counts_first(poster: Poster) -> None:
    accrues(poster)
    poster.charge(make_charge("a", rate="80.00"))
    poster.bill()
    settle(poster)
    assert [said(document) for document in entries(poster)] == [
        ["unbilled 80.00", "revenue -80.00"],
        ["revenue 80.00", "unbilled -80.00"],
    ]


def test_changes_and_withdrawals_follow_the_work(poster: Poster) -> None:
    accrues(poster)
    poster.charge(make_charge("a", rate="80.00"), make_charge("b", rate="50.00"))
    poster.parts.recognition.recognizer.run_months()
    poster.charge(make_charge("a", minutes(90), rate="80.00"), revision=2)
    poster.withdraw("b")
    poster.parts.recognition.recognizer.run_months()
    assert [said(document)[0] for document in entries(poster)] == [
        "unbilled 130.00",
        "unbilled -10.00",
    ]
    assert report(poster)["unbilled"] == [{"client": "Acme", "amount": Decimal("120.00")}]


def test_work_that_comes_to_nothing_is_no_asset(poster: Poster) -> None:
    """What a run passes by as below half a step is nobody's to bill any more."""
    accrues(poster)
    poster.charge(make_charge("a", minutes(2), rate="60.00"))
    poster.parts.recognition.recognizer.run_months()
    assert report(poster)["unbilled"] == [{"client": "Acme", "amount": Decimal("2.00")}]
    poster.bill()
    poster.parts.recognition.recognizer.run_months()
    assert report(poster)["unbilled"] == []


def test_an_invoice_is_dealt_with_once_however_often_it_is_posted(poster: Poster) -> None:
    accrues(poster)
    poster.charge(make_charge("a", rate="80.00"))
    poster.bill()
    settle(poster)
    invoice = next(d for d in poster.documents() if d.kind == "invoice")
    poster.parts.decisions.restore(invoice.document_id, Decision("ann"))
    settle(poster)
    assert len(entries(poster)) == 2


def test_costs_that_are_passed_on_are_not_deferred(poster: Poster) -> None:
    poster.configure(2, recognition=RecognitionPolicy(deferrals=(DeferralRule(months=2),)))
    cost = ChargedCost(amount=Decimal("45.00"), currency="USD", treatment="agent")
    poster.charge(make_expense("e", cost=cost), make_charge("a", rate="10.00"))
    poster.bill()
    settle(poster)
    assert [said(document)[0] for document in entries(poster)] == ["revenue 10.00"]


def test_credited_work_is_unbilled_again(poster: Poster) -> None:
    accrues(poster)
    poster.charge(make_charge("a", rate="80.00"))
    poster.bill()
    settle(poster)
    poster.withdraw("a")
    settle(poster)
    poster.parts.recognition.recognizer.run_months()
    assert report(poster)["unbilled"] == []
    assert len(entries(poster)) == 2


def test_foreign_work_counts_once_its_rate_is_known(poster: Poster) -> None:
    accrues(poster, currencies=CurrencyPolicy(source="own", pivot="GBP", days_back_max=31))
    poster.charge(make_charge("a", rate="80.00", currency="GBP"))
    poster.parts.recognition.recognizer.run_months()
    assert entries(poster) == []

    class Published:
        source, pivot = "own", "GBP"

        def rates(self) -> list[PublishedRate]:
            return [PublishedRate(date(2026, 3, 2), "USD", Decimal("1.25"))]

    with poster.store.transaction() as connection:
        import_rates(connection, Published(), now=poster.clock.now())  # type: ignore[arg-type]
    poster.parts.recognition.recognizer.run_months()
    (counted,) = entries(poster)
    assert (said(counted), counted.currency) == (["unbilled 100.00", "revenue -100.00"], "USD")


def test_a_crash_before_the_commit_leaves_nothing_behind(poster: Poster) -> None:
    accrues(poster)
    poster.charge(make_charge("a", rate="80.00"))
    poster.bill()
    poster.settle()
    faults.arm("poster.revenue_recognized=raise")
    assert poster.parts.recognition.recognizer.run_due() == 0
    faults.arm("")
    assert entries(poster) == []
    assert poster.parts.recognition.recognizer.run_due() == 1
    assert len(entries(poster)) == 2


def test_books_that_recognize_nothing_have_nothing_to_look_at(poster: Poster) -> None:
    poster.charge(make_charge("a"))
    poster.bill()
    poster.settle()
    assert poster.rows("SELECT * FROM recognition_due") == []
    assert poster.parts.recognition.recognizer.run_months() == 0
    with pytest.raises(NotFound):
        poster.parts.recognition.recognizer.recognize("nobody's", MARCH_31)
    with pytest.raises(NotFound):
        RecognitionReport(poster.store).of_book("nobody's")
