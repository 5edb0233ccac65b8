"""Payments: which documents they settle, what they realize, why they wait, how they change."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hourbridge.billing.currencies.stamping import at_rate
from hourbridge.common import faults
from hourbridge.common.book import InvoicingPolicy, LedgerReference, ReviewPolicy
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from hourbridge.poster.open_items import OpenItem, Reduction, read_items
from tests.support.charges import make_charge
from tests.support.currencies import FRIDAY, document, publish, rate, stated_payment
from tests.support.posting import BOOK, Poster

pytestmark = [pytest.mark.database]

JUNE = date(2026, 6, 30)
ENTRY = InvoicingPolicy(grouping="entry", lines="entry")


@pytest.fixture
def books(poster: Poster) -> Poster:
    """Two posted invoices of Acme's: HB-1 over EUR 300.00 and, a day later, HB-2 over 500.00."""
    publish(poster, {FRIDAY: {"USD": "1.10"}, JUNE: {"USD": "1.20"}})
    for at, amount in enumerate(("300.00", "500.00")):
        day = FRIDAY + timedelta(days=at)
        poster.charge(
            make_charge(f"c{at}", rate=amount, currency="EUR", invoicing=ENTRY, work_date=day)
        )
        poster.bill(through=day)
    poster.settle()
    return poster


def pay(poster: Poster, record: str, amount: Any, **changes: Any) -> None:
    poster.feed(stated_payment(poster, record, amount=amount, **changes))
    poster.parts.currencies.payments.run_due()


def of_kind(poster: Poster, kind: DocumentKind) -> list[Document]:
    return [document for document in poster.documents() if document.kind is kind]


def reason(poster: Poster, record: str = "p1") -> str | None:
    (row,) = poster.rows(f"SELECT state, reason FROM stated_payment WHERE record_id = '{record}'")
    return row.reason["code"] if row.state == "parked" else None


def open_amounts(poster: Poster) -> dict[str, tuple[Decimal, Decimal]]:
    ids = [d.document_id for d in of_kind(poster, DocumentKind.INVOICE)]
    with poster.store.transaction() as connection:
        items = read_items(connection, ids).values()
    return {i.document.number: (i.open_amount, i.open_base("USD")) for i in items}


def settled(document: Document) -> list[tuple[str, Decimal]]:
    return [(part.number, part.amount) for part in document.settles]


def test_the_oldest_document_is_paid_first(books: Poster) -> None:
    for _ in range(2):
        pay(books, "p1", "400.00", payment_date=JUNE)
        (payment,) = of_kind(books, DocumentKind.PAYMENT)
    assert settled(payment) == [("HB-1", Decimal("300.00")), ("HB-2", Decimal("100.00"))]
    assert (payment.number, payment.document_date, payment.total) == ("HBP-1", JUNE, 400)
    assert open_amounts(books) == {"HB-1": (0, 0), "HB-2": (Decimal("400.00"), Decimal("440.00"))}
    realized = [p.base_amount for p in payment.postings if p.role == "fx_realized"]
    assert realized == [Decimal("-30.00"), Decimal("-10.00")]
    assert payment.base_total == Decimal("480.00")


def test_named_documents_are_paid_whatever_their_age(books: Poster) -> None:
    pay(books, "p1", "500.00", parts=[{"number": "HB-2", "amount": "500.00"}])
    assert settled(of_kind(books, DocumentKind.PAYMENT)[0]) == [("HB-2", Decimal("500.00"))]


def test_a_document_that_is_named_twice_is_settled_once(books: Poster) -> None:
    parts = [{"number": "HB-2", "amount": "100.00"}, {"number": "HB-2", "amount": "50.00"}]
    pay(books, "p1", "150.00", parts=parts)
    assert settled(of_kind(books, DocumentKind.PAYMENT)[0]) == [("HB-2", Decimal("150.00"))]


def test_a_payment_that_the_ledger_has_is_only_noted(books: Poster) -> None:
    pay(books, "p1", "300.00", in_ledger=True)
    (payment,) = of_kind(books, DocumentKind.PAYMENT)
    assert (payment.status, payment.in_ledger) == (DocumentStatus.POSTED, True)
    assert books.ledger.of_kind(DocumentKind.PAYMENT) == []  # type: ignore[attr-defined]


def test_where_a_person_reviews_payments_it_is_a_draft(books: Poster) -> None:
    books.configure(2, review=ReviewPolicy(kinds=("payment",)))
    pay(books, "p1", "300.00")
    assert of_kind(books, DocumentKind.PAYMENT)[0].status is DocumentStatus.DRAFT


@pytest.mark.parametrize(
    ("amount", "changes", "code"),
    [
        ("900.00", {}, "exceeds_open"),
        ("301.00", {"parts": [{"number": "HB-1", "amount": "301.00"}]}, "exceeds_open"),
        ("300.00", {"parts": [{"number": "HB-1", "amount": "100.00"}]}, "exceeds_open"),
        ("100.00", {"parts": [{"number": "HB-1", "amount": "200.00"}]}, "parts_exceed_payment"),
        ("100.00", {"parts": [{"number": "HB-9", "amount": "100.00"}]}, "no_document"),
        (
            "100.00",
            {"currency": "USD", "parts": [{"number": "HB-1", "amount": "100.00"}]},
            "other_currency",
        ),
        ("100.00", {"currency": "USD"}, "exceeds_open"),
        ("100.00", {"client": "Birch"}, "exceeds_open"),
        (
            "100.00",
            {"client": "Birch", "parts": [{"number": "HB-1", "amount": "100.00"}]},
            "no_document",
        ),
        ("300.00", {"payment_date": date(2026, 9, 1)}, "no_rate"),
        (
            "300.00",
            {"purpose": "vendor_bill", "client": "", "vendor": LedgerReference(name="Bravo")},
            "exceeds_open",
        ),
    ],
)
def test_a_payment_waits_as_a_whole_and_says_why(
    books: Poster, amount: str, changes: dict[str, Any], code: str
) -> None:
    for _ in range(2):
        pay(books, "p1", amount, **changes)
        books.parts.currencies.payments.run_due()
        assert reason(books) == code
    assert of_kind(books, DocumentKind.PAYMENT) == []
    (row,) = books.parts.status.parked(BOOK, 10)
    assert (row["kind"], row["code"], row["id"]) == ("payment", code, "p1")


def test_what_waits_for_a_document_goes_on_when_that_is_posted(books: Poster) -> None:
    pay(books, "p1", "700.00", parts=[{"number": "HB-3", "amount": "700.00"}])
    charge = make_charge("c9", rate="700.00", currency="EUR", invoicing=ENTRY, work_date=JUNE)
    books.charge(charge)
    books.bill(through=JUNE)
    books.parts.currencies.payments.run_due()
    assert reason(books) == "no_document"  # assembled, not in the ledger
    books.settle()
    books.parts.currencies.payments.run_due()
    assert settled(of_kind(books, DocumentKind.PAYMENT)[0]) == [("HB-3", Decimal("700.00"))]


def test_what_waits_for_a_rate_goes_on_when_it_arrives(books: Poster) -> None:
    september = date(2026, 9, 1)
    pay(books, "p1", "300.00", payment_date=september)
    publish(books, {september: {"USD": "1.00"}})
    books.parts.currencies.payments.run_due()
    (payment,) = of_kind(books, DocumentKind.PAYMENT)
    assert [p.base_amount for p in payment.postings if p.role == "fx_realized"] == [30]


def test_the_last_payment_takes_what_rounding_left(books: Poster) -> None:
    publish(books, {FRIDAY: {"USD": "1.1111"}})
    charge = make_charge("c9", rate="100.00", currency="EUR", invoicing=ENTRY, work_date=FRIDAY)
    books.charge(charge)
    books.bill(through=FRIDAY)
    books.settle()
    for at, amount in enumerate(("33.33", "33.33", "33.34")):
        parts = [{"number": "HB-3", "amount": amount}]
        pay(books, f"p{at}", amount, parts=parts)
    assert open_amounts(books)["HB-3"] == (0, 0)
    carried = [
        posting.base_amount
        for payment in of_kind(books, DocumentKind.PAYMENT)
        for posting in payment.postings
        if posting.role == "receivable"
    ]
    assert sum(carried) == Decimal("-111.11")


def test_a_payment_that_is_taken_back_before_it_was_sent_is_dropped(books: Poster) -> None:
    pay(books, "p1", "300.00")
    for _ in range(2):
        pay(books, "p1", None, revision=2)
    (payment,) = of_kind(books, DocumentKind.PAYMENT)
    assert payment.status is DocumentStatus.WITHDRAWN
    assert open_amounts(books)["HB-1"][0] == Decimal("300.00")


def test_a_posted_payment_that_is_taken_back_is_reversed(books: Poster) -> None:
    pay(books, "p1", "300.00", payment_date=JUNE)
    books.settle()
    for _ in range(2):
        pay(books, "p1", None, revision=2)
        books.settle()
    (reversal,) = of_kind(books, DocumentKind.JOURNAL_ENTRY)
    (payment,) = of_kind(books, DocumentKind.PAYMENT)
    assert (reversal.purpose, reversal.reverses_document_id) == (
        "payment_reversal",
        payment.document_id,
    )
    assert open_amounts(books)["HB-1"] == (Decimal("300.00"), Decimal("330.00"))


def test_a_changed_payment_is_reversed_and_posted_anew(books: Poster) -> None:
    pay(books, "p1", "300.00")
    books.settle()
    for _ in range(2):
        pay(books, "p1", "200.00", revision=2)
        books.settle()
    assert [p.total for p in of_kind(books, DocumentKind.PAYMENT)] == [300, 200]
    assert len(of_kind(books, DocumentKind.JOURNAL_ENTRY)) == 1
    assert open_amounts(books)["HB-1"] == (Decimal("100.00"), Decimal("110.00"))


def test_a_new_mapping_of_the_same_record_changes_nothing(books: Poster) -> None:
    pay(books, "p1", "300.00")
    books.settle()
    pay(books, "p1", "300.00", mapping=2, reference="other text")
    books.settle()
    assert len(books.documents()) == 3


@pytest.mark.parametrize("seed", range(3))
def test_replays_in_any_order_post_each_payment_once(books: Poster, seed: int) -> None:
    messages = [
        stated_payment(books, "p1", amount="100.00"),
        stated_payment(books, "p1", revision=2, amount="250.00"),
        stated_payment(books, "p2", amount="400.00", payment_date=JUNE),
    ]
    for _ in range(3):
        random.Random(seed).shuffle(messages)
        for message in messages:
            books.feed(message)
            books.parts.currencies.payments.run_due()
            books.settle()
    assert open_amounts(books) == {"HB-1": (0, 0), "HB-2": (Decimal("150.00"), Decimal("165.00"))}


def test_a_failure_while_posting_leaves_nothing_behind(books: Poster) -> None:
    faults.arm("poster.payment_assembled=raise")
    pay(books, "p1", "300.00")
    assert of_kind(books, DocumentKind.PAYMENT) == []
    faults.arm("")
    books.parts.currencies.payments.run_due()
    assert len(of_kind(books, DocumentKind.PAYMENT)) == 1


def test_payments_that_race_for_one_document_settle_it_once(books: Poster) -> None:
    for at in range(6):
        parts = [{"number": "HB-1", "amount": "120.00"}]
        books.feed(stated_payment(books, f"p{at}", amount="120.00", parts=parts))
    together = threading.Barrier(4)

    def race() -> None:
        together.wait()
        books.process().currencies.payments.run_due()

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert open_amounts(books)["HB-1"] == (Decimal("60.00"), Decimal("66.00"))
    rows = books.rows("SELECT record_id, state FROM stated_payment ORDER BY record_id")
    assert [row.state for row in rows] == ["done", "done", "parked", "parked", "parked", "parked"]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(1, 99_999), min_size=1, max_size=12),
    st.decimals("0.0101", "250", places=4),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_the_parts_of_a_document_take_all_that_it_is_carried_at(
    cents: list[int], value: Decimal, base: str
) -> None:
    total = Decimal(sum(cents)) / 100
    whole = at_rate(document([f"{total:.2f}"]), rate(str(value), base))
    paid = tuple(
        Reduction(f"p{at}", Decimal(cent) / 100, None, False, True, None, FRIDAY)
        for at, cent in enumerate(cents)
    )
    for count in range(len(paid) + 1):
        item = OpenItem(whole, paid[:count])
        taken = sum((part for _, part in item.taken_bases(base)), Decimal(0))
        assert taken + item.open_base(base) == whole.base_total
    assert (item.open_amount, item.open_base(base)) == (0, 0)
    last = paid[-1]
    back = replace(last, document_id="back", amount=-last.amount, reverses=last.document_id)
    reopened = OpenItem(whole, (*paid, back))
    assert reopened.open_on(FRIDAY, base) == OpenItem(whole, paid[:-1]).open_on(FRIDAY, base)
