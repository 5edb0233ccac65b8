"""Month-end revaluation: once, replaced when it must be, blocked by closed books; residues."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.book import CurrencyPolicy, InvoicingPolicy, ReviewPolicy
from hourbridge.common.errors import LedgerUnavailable
from hourbridge.common.messages.events import Document
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.poster.currencies import revaluation_store
from hourbridge.poster.currencies.exchange_report import ExchangeReport
from hourbridge.poster.currencies.opening_items import OpeningItem
from hourbridge.poster.decisions import Decision
from tests.support.charges import make_charge
from tests.support.currencies import FRIDAY, publish, stated_payment
from tests.support.faulty_ledger import MemoryLedger
from tests.support.posting import BOOK, Poster, in_place_for

pytestmark = [pytest.mark.database]

MAY_31, JUNE_1 = date(2026, 5, 31), date(2026, 6, 1)
ENTRY = InvoicingPolicy(grouping="entry", lines="entry")


@pytest.fixture
def books(poster: Poster) -> Poster:
    """An invoice over EUR 300.00 at 1.10; at the end of May the euro stands at 1.25."""
    publish(poster, {FRIDAY: {"USD": "1.10", "CHF": "0.9"}, date(2026, 5, 29): {"USD": "1.25"}})
    invoice(poster, "c1", "300.00")
    poster.clock.step(seconds=90 * 24 * 3600)  # the first of July
    return poster


def invoice(poster: Poster, charge_id: str, amount: str, currency: str = "EUR") -> None:
    charge = make_charge(
        charge_id, rate=amount, currency=currency, invoicing=ENTRY, work_date=FRIDAY
    )
    poster.charge(charge)
    poster.bill(through=FRIDAY)
    poster.settle()


def revalue(poster: Poster, last_day: date = MAY_31) -> dict[str, Any]:
    with poster.store.transaction() as connection:
        now = poster.clock.now()
        run_id = revaluation_store.ask(connection, BOOK, last_day, "ann", now)
    poster.parts.currencies.revaluer.perform_open()
    return shown(poster, run_id)


def shown(poster: Poster, run_id: str) -> dict[str, Any]:
    with poster.store.transaction() as connection:
        return revaluation_store.read(connection, run_id)


def entries(poster: Poster) -> list[Document]:
    return [d for d in poster.documents() if d.purpose in ("revaluation", "revaluation_reversal")]


def amounts(poster: Poster) -> list[tuple[str | None, date, Decimal, str]]:
    """Return purpose, date, the unrealized gain and status of each entry."""
    return [
        (
            document.purpose,
            document.document_date,
            -sum((p.amount for p in document.postings if p.role == "fx_unrealized"), Decimal(0)),
            document.status.value,
        )
        for document in entries(poster)
    ]


ONCE = [
    ("revaluation", MAY_31, Decimal("45.00"), "posted"),
    ("revaluation_reversal", JUNE_1, Decimal("-45.00"), "posted"),
]


def test_asking_again_changes_nothing(books: Poster) -> None:
    for _ in range(3):
        run = revalue(books)
        books.settle()
        assert run["state"] == "completed"
        assert run["result"]["ledgers"][0]["gain"] == "45.00"
        assert amounts(books) == ONCE


def test_the_entry_and_its_reversal_stand_or_fall_together(books: Poster) -> None:
    faults.arm("poster.revaluation_entered=raise")
    assert revalue(books)["state"] == "waiting"
    assert entries(books) == []
    books.clock.step(seconds=60)
    books.parts.currencies.revaluer.perform_open()
    books.settle()
    assert amounts(books) == ONCE


def test_four_at_once_make_one(books: Poster) -> None:
    with books.store.transaction() as connection:
        for _ in range(4):
            revaluation_store.ask(connection, BOOK, MAY_31, "ann", books.clock.now())
    racers = [
        threading.Thread(target=books.process().currencies.revaluer.perform_open) for _ in range(4)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    books.parts.currencies.revaluer.perform_open()
    books.settle()
    assert amounts(books) == ONCE


def test_what_changed_since_replaces_the_former_one(books: Poster) -> None:
    revalue(books)
    books.settle()
    invoice(books, "c2", "100.00")  # late, dated in May
    for _ in range(2):
        assert revalue(books)["result"]["ledgers"][0]["generation"] == 2
        books.settle()
    assert amounts(books) == [
        *ONCE,
        ("revaluation_reversal", MAY_31, Decimal("-45.00"), "posted"),
        ("revaluation", JUNE_1, Decimal("45.00"), "posted"),
        ("revaluation", MAY_31, Decimal("60.00"), "posted"),
        ("revaluation_reversal", JUNE_1, Decimal("-60.00"), "posted"),
    ]


def test_what_was_not_sent_yet_is_dropped_instead(books: Poster) -> None:
    books.configure(2, review=ReviewPolicy(kinds=("journal_entry",)))
    revalue(books)
    invoice(books, "c2", "100.00")
    revalue(books)
    assert [status for *_, status in amounts(books)] == ["withdrawn"] * 2 + ["draft"] * 2


def test_a_correction_of_the_rate_replaces_it_too(books: Poster) -> None:
    revalue(books)
    books.settle()
    publish(books, {date(2026, 5, 29): {"USD": "1.10"}})
    revalue(books)
    books.settle()
    assert amounts(books)[2:] == [
        ("revaluation_reversal", MAY_31, Decimal("-45.00"), "posted"),
        ("revaluation", JUNE_1, Decimal("45.00"), "posted"),
    ]


def test_what_is_on_its_way_is_waited_for(books: Poster) -> None:
    revalue(books)
    invoice_only = make_charge("c2", rate="9.00", currency="EUR", invoicing=ENTRY, work_date=FRIDAY)
    sql = "UPDATE ledger_operation SET state = 'sending' WHERE state = 'pending'"
    with books.store.transaction() as connection:
        connection.exec_driver_sql(sql)
    books.charge(invoice_only)
    books.bill(through=FRIDAY)
    with books.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE document SET status = 'posted' WHERE kind = 'invoice'")
    run = revalue(books)
    assert (run["state"], run["reason"]["code"]) == ("waiting", "transient_failure")


def test_without_a_rate_it_waits_and_goes_on_by_itself(books: Poster) -> None:
    invoice(books, "c2", "90.00", currency="CHF")
    run = revalue(books)
    assert (run["state"], run["reason"]["code"]) == ("parked", "no_rate")
    (row,) = books.parts.status.parked(BOOK, 10)
    assert (row["kind"], row["subject"]) == ("revaluation", "2026-05")
    publish(books, {date(2026, 5, 29): {"CHF": "1.0"}})
    books.parts.currencies.revaluer.perform_open()
    assert shown(books, run["run_id"])["state"] == "completed"


def test_closed_books_block_it_until_they_are_open(books: Poster, ledger: MemoryLedger) -> None:
    ledger.closed = JUNE_1
    blocked = [revalue(books) for _ in range(2)]
    assert {(run["state"], run["reason"]["code"]) for run in blocked} == {
        ("parked", "period_closed")
    }
    assert entries(books) == []
    ledger.closed = date(2026, 4, 30)
    assert revalue(books)["state"] == "completed"
    assert {shown(books, run["run_id"])["state"] for run in blocked} == {"completed"}
    books.settle()
    ledger.closed = date(2026, 12, 31)
    assert revalue(books)["state"] == "completed"  # nothing is to be sent any more
    assert amounts(books) == ONCE


def test_a_ledger_that_is_away_is_asked_again(
    books: Poster, ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise LedgerUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(ledger, "closed_through", away)
        run = revalue(books)
    assert (run["state"], run["reason"]["code"]) == ("waiting", "ledger_unavailable")
    books.clock.step(seconds=60)
    books.parts.currencies.revaluer.perform_open()
    assert shown(books, run["run_id"])["state"] == "completed"


def test_only_what_was_open_on_the_day_counts(books: Poster) -> None:
    books.feed(stated_payment(books, "p1", amount="300.00", payment_date=date(2026, 5, 20)))
    publish(books, {date(2026, 5, 20): {"USD": "1.2"}})
    books.parts.currencies.payments.run_due()
    assert revalue(books)["result"]["ledgers"] == []
    assert revalue(books, date(2026, 4, 30))["result"]["ledgers"] == []


def test_a_reversal_waits_for_what_it_reverses(books: Poster) -> None:
    books.configure(2, review=ReviewPolicy(kinds=("journal_entry",)))
    revalue(books)
    entry, reversal = entries(books)
    books.parts.decisions.release(reversal.document_id, Decision("ann"))
    books.settle()
    assert [d.status.value for d in entries(books)] == ["draft", "parked"]
    books.parts.decisions.release(entry.document_id, Decision("ann"))
    books.settle()
    assert [d.status.value for d in entries(books)] == ["posted", "posted"]


# --- by itself ----------------------------------------------------------------------------------


def asked(poster: Poster) -> list[tuple[str, str]]:
    rows = poster.rows("SELECT last_day, requested_by FROM revaluation_run ORDER BY last_day")
    return [(row.last_day.isoformat(), row.requested_by) for row in rows]


def test_each_month_is_revalued_once_by_itself(books: Poster) -> None:
    month_ends = books.parts.currencies.month_ends
    assert month_ends.ask_due() == 0  # the policy is off
    books.configure(2, currencies=CurrencyPolicy(revaluation="reversing"))
    books.clock.instant = datetime(2026, 6, 1, 1, tzinfo=UTC)
    assert [month_ends.ask_due() for _ in range(2)] == [1, 0]
    assert asked(books) == [("2026-04-30", "service:poster")]  # where the book is kept it is May
    books.clock.instant = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert month_ends.ask_due() == 0  # Friday's rate may not be the last of May's
    publish(books, {JUNE_1: {"USD": "1.3"}})
    books.sequence += 1  # a record is in flight
    books.feed(books.changed("late", []))
    assert month_ends.ask_due() == 0
    books.sequence -= 2
    books.feed(books.changed("in flight", []))
    assert [month_ends.ask_due() for _ in range(3)] == [1, 0, 0]
    books.parts.currencies.revaluer.perform_open()
    books.settle()
    assert [day for day, _ in asked(books)] == ["2026-04-30", "2026-05-31"]
    assert amounts(books) == ONCE


# --- items taken over, and what is left of them -------------------------------------------------


def opening(reference: str, amount: str, base: str, **changes: Any) -> OpeningItem:
    values: dict[str, Any] = {
        "reference": reference,
        "side": "receivable",
        "party": "Acme",
        "currency": "EUR",
        "amount": Decimal(amount),
        "base_amount": Decimal(base),
        "day": FRIDAY,
        **changes,
    }
    return OpeningItem(**values)


@pytest.fixture
def taken_over(books: Poster) -> Poster:
    books.configure(2, clients=(in_place_for("Acme"),))
    return books


def take_over(poster: Poster, item: OpeningItem) -> Document | None:
    return poster.parts.currencies.opening_items.take_over(BOOK, item, "ann")


def test_an_item_is_taken_over_once_and_can_be_paid(taken_over: Poster) -> None:
    assert take_over(taken_over, opening("OLD-1", "50.00", "60.00")) is not None
    assert take_over(taken_over, opening("OLD-1", "50.00", "60.00")) is None
    parts = [{"number": "HBJ-1", "amount": "50.00"}]
    taken_over.feed(stated_payment(taken_over, "p1", amount="50.00", parts=parts))
    taken_over.parts.currencies.payments.run_due()
    (payment,) = [d for d in taken_over.documents() if d.kind == "payment"]
    assert [p.base_amount for p in payment.postings if p.role == "fx_realized"] == [5]


def test_a_debt_to_a_vendor_is_taken_over_too(taken_over: Poster) -> None:
    item = opening("B-1", "50.00", "50.00", side="payable", party="Bravo")
    take_over(taken_over, item)
    run = revalue(taken_over)
    kinds = [each["kind"] for each in run["result"]["ledgers"][0]["items"]]
    assert kinds == ["payable", "receivable"]


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (opening("X", "0", "0"), RequestInvalid),
        (opening("X", "5.00", "6.00", currency="USD"), RequestInvalid),
        (opening("X", "5.00", "6.00", party="Nobody"), NotFound),
    ],
)
def test_what_cannot_be_taken_over(
    taken_over: Poster, item: OpeningItem, error: type[Exception]
) -> None:
    with pytest.raises(error):
        take_over(taken_over, item)


def test_residues_up_to_the_limit_are_cleared_once(taken_over: Poster) -> None:
    for reference, amount, base in (
        ("A", "0.00", "0.07"),
        ("B", "0.40", "0.00"),
        ("C", "0.00", "1.01"),  # over the limit
        ("D", "5.00", "6.00"),  # open in both
    ):
        take_over(taken_over, opening(reference, amount, base))
    residues = taken_over.parts.currencies.residues
    assert len(residues.listed(BOOK)) == 3
    for cleared in (2, 0):
        rows = residues.clear(BOOK, "ann")
        assert sum(row["entry"] is not None for row in rows) == cleared
        taken_over.settle()
    assert [row["base_amount"] for row in residues.listed(BOOK)] == ["1.01"]
    clearing = [d for d in taken_over.documents() if d.purpose == "residue_clearing"]
    assert [(d.currency, d.in_ledger) for d in clearing] in (
        [("USD", True), ("EUR", False)],
        [("EUR", False), ("USD", True)],
    )


def test_residues_of_a_book_that_is_not_configured(books: Poster) -> None:
    with pytest.raises(NotFound):
        books.parts.currencies.residues.listed("nobody")
    with pytest.raises(NotFound):
        books.parts.currencies.opening_items.take_over("nobody", opening("X", "1", "1"), "ann")


def test_the_report_tells_it_all(taken_over: Poster) -> None:
    revalue(taken_over)
    taken_over.settle()
    publish(taken_over, {date(2026, 6, 10): {"USD": "1.0"}})
    payment = stated_payment(taken_over, "p1", amount="100.00", payment_date=date(2026, 6, 10))
    taken_over.feed(payment)
    taken_over.parts.currencies.payments.run_due()
    report = ExchangeReport(taken_over.store).of_book(BOOK, MAY_31)
    assert [(row["day"], row["gain"]) for row in report["realized"]] == [("2026-06-10", "-10.00")]
    assert report["months"] == [{"month": "2026-06", "gain": "-10.00"}]
    assert [row["entry_status"] for row in report["revaluations"]] == ["posted"]
    assert [(row["amount"], row["carried"]) for row in report["open"]] == [("300.00", "330.00")]
    later = ExchangeReport(taken_over.store).of_book(BOOK, date(2026, 6, 30))
    assert [(row["amount"], row["carried"]) for row in later["open"]] == [("200.00", "220.00")]
    with pytest.raises(NotFound):
        ExchangeReport(taken_over.store).of_book("nobody", MAY_31)
