"""Rates as they are kept: added, never changed; and documents that need one."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import CurrencyPolicy, InvoicingPolicy
from hourbridge.common.exchange_rates import RatesInvalid
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from hourbridge.connectors.exchange_rates.ecb_file import EcbFile
from hourbridge.poster.currencies import rate_store
from hourbridge.poster.decisions import Decision
from hourbridge.poster.group_store import BillingScope
from tests.support.charges import make_charge
from tests.support.currencies import FRIDAY, publish
from tests.support.posting import BOOK, Poster

pytestmark = [pytest.mark.database]

THURSDAY = FRIDAY - timedelta(days=1)
ON_DEMAND = InvoicingPolicy(grouping="client_on_demand", lines="entry")
DRAFTS = InvoicingPolicy(grouping="client_on_demand", lines="entry", status="draft")
NOBODY = Decision("ann")


def noon(day: int) -> datetime:
    return datetime(2026, 5, day, 12, tzinfo=UTC)


def values(poster: Poster, day: date = FRIDAY) -> list[str]:
    sql = f"SELECT value FROM exchange_rate WHERE rate_date = '{day}' ORDER BY revision"
    return [str(row.value) for row in poster.rows(sql)]


def bill(poster: Poster, *amounts: str, day: date = FRIDAY, **changes: Any) -> Document:
    """Bill an hour in euro for each amount; return the newest document."""
    options = {"currency": "EUR", "invoicing": ON_DEMAND, "work_date": day, **changes}
    number = poster.sequence
    charges = [
        make_charge(f"c{number + at}", 3600, rate=amount, **options)
        for at, amount in enumerate(amounts)
    ]
    poster.charge(*charges)
    poster.bill(through=day)
    return poster.documents()[-1]


def test_a_file_is_taken_once(poster: Poster) -> None:
    days = {FRIDAY: {"USD": "1.0873", "JPY": "169.95"}, THURSDAY: {"USD": "1.0862"}}
    first = publish(poster, days)
    assert (first.new, first.corrected, first.known) == (3, 0, 0)
    assert (first.first_date, first.last_date) == (THURSDAY, FRIDAY)
    again = publish(poster, days)
    assert (again.new, again.corrected, again.known, again.is_change) == (0, 0, 3, False)


def test_a_correction_stands_beside_what_it_corrects(poster: Poster) -> None:
    publish(poster, {FRIDAY: {"USD": "1.0873"}})
    assert publish(poster, {FRIDAY: {"USD": "1.0880"}}).corrected == 1
    assert publish(poster, {FRIDAY: {"USD": "1.0873"}}).known == 1  # the old file again
    assert publish(poster, {FRIDAY: {"USD": "1.0880"}}).known == 1
    assert values(poster) == ["1.0873", "1.0880"]


def test_where_times_of_publication_are_known_the_later_one_counts(poster: Poster) -> None:
    publish(poster, {FRIDAY: {"USD": "1.10"}}, published_at=noon(15))
    assert publish(poster, {FRIDAY: {"USD": "1.09"}}, published_at=noon(14)).known == 1
    assert publish(poster, {FRIDAY: {"USD": "1.11"}}, published_at=noon(16)).corrected == 1
    assert publish(poster, {FRIDAY: {"USD": "1.10"}}, published_at=noon(17)).corrected == 1
    assert values(poster) == ["1.10", "1.11", "1.10"]


def test_early_days_can_be_left_out(poster: Poster) -> None:
    days = {FRIDAY: {"USD": "1.10"}, THURSDAY: {"USD": "1.09"}}
    assert publish(poster, days, since=FRIDAY).new == 1
    assert values(poster, THURSDAY) == []


def test_of_a_file_that_contradicts_itself_nothing_is_taken(poster: Poster) -> None:
    content = b"Date,USD\n2026-05-15,1.1\n2026-05-15,1.2\n"
    with pytest.raises(RatesInvalid), poster.store.transaction() as connection:
        rate_store.import_rates(connection, EcbFile(content), now=poster.clock.now())
    assert values(poster) == []


def test_two_imports_at_once_add_each_rate_once(poster: Poster) -> None:
    together = threading.Barrier(4)

    def race() -> None:
        together.wait()
        publish(poster, {FRIDAY: {"USD": "1.10"}})

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert values(poster) == ["1.10"]


def test_the_list_shows_corrections_first(poster: Poster) -> None:
    publish(poster, {FRIDAY: {"USD": "1.10", "JPY": "160"}, THURSDAY: {"USD": "1.09"}})
    publish(poster, {FRIDAY: {"USD": "1.11"}})
    with poster.store.transaction() as connection:
        found = rate_store.listed(connection, currency="USD", first=THURSDAY, limit=10)
    assert [(r.rate_date, r.revision) for r in found] == [(FRIDAY, 2), (FRIDAY, 1), (THURSDAY, 1)]


def test_a_foreign_document_is_stamped(poster: Poster) -> None:
    publish(poster, {FRIDAY: {"USD": "1.0873"}})
    document = bill(poster, "40.15", "40.15", "40.15")
    assert document.exchange is not None
    assert (document.exchange.value, document.base_total) == (Decimal("1.0873"), Decimal("130.97"))
    bases = [line.base_amount for line in document.lines]
    assert sum(bases, Decimal(0)) == document.base_total  # type: ignore[arg-type]


def test_a_preview_shows_both_currencies(poster: Poster) -> None:
    publish(poster, {FRIDAY: {"USD": "1.0873"}})
    poster.charge(make_charge("c1", currency="EUR", invoicing=ON_DEMAND, work_date=FRIDAY))
    (document,) = poster.parts.biller.preview(BillingScope(BOOK, FRIDAY)).documents
    assert document.base_total == Decimal("163.10")


def test_a_document_in_the_books_currency_has_no_rate(poster: Poster) -> None:
    document = bill(poster, "100.00", currency="USD")
    assert (document.exchange, document.base_total) == (None, None)


def test_without_a_rate_a_document_waits_and_goes_on_by_itself(poster: Poster) -> None:
    document = bill(poster, "100.00")
    assert document.status is DocumentStatus.PARKED
    assert document.reason is not None
    assert (document.reason.code, document.base_total) == ("no_rate", None)
    for _ in range(2):
        poster.settle()
        poster.bill(through=FRIDAY)
        assert poster.ledger.of_kind(DocumentKind.INVOICE) == []  # type: ignore[attr-defined]
    publish(poster, {FRIDAY: {"JPY": "160"}})
    assert poster.document().status is DocumentStatus.PARKED
    publish(poster, {THURSDAY: {"USD": "1.10"}})
    poster.settle()
    done = poster.document()
    assert (done.status, done.reason, done.base_total) == (
        DocumentStatus.POSTED,
        None,
        Decimal("110.00"),
    )


def test_a_person_can_release_it_when_the_rate_is_there(poster: Poster) -> None:
    bill(poster, "100.00")
    document_id = poster.document().document_id
    with pytest.raises(Exception, match="no_rate"):
        poster.parts.decisions.release(document_id, NOBODY)
    with poster.store.transaction() as connection:
        content = b"Date,USD\n2026-05-15,1.1\n"
        rate_store.import_rates(connection, EcbFile(content), now=poster.clock.now())
    released = poster.parts.decisions.release(document_id, NOBODY)
    assert (released.status, released.base_total) == (DocumentStatus.POSTING, Decimal("110.00"))


def test_a_draft_without_a_rate_stays_a_draft(poster: Poster) -> None:
    draft = bill(poster, "100.00", invoicing=DRAFTS)
    assert (draft.status, draft.reason and draft.reason.code) == (DocumentStatus.DRAFT, "no_rate")
    publish(poster, {FRIDAY: {"USD": "1.10"}})
    rated = poster.document()
    assert (rated.status, rated.reason, rated.base_total) == (
        DocumentStatus.DRAFT,
        None,
        Decimal("110.00"),
    )


def test_a_document_that_moves_to_another_day_takes_that_days_rate(poster: Poster) -> None:
    publish(poster, {FRIDAY: {"USD": "1.10"}, THURSDAY: {"USD": "1.20"}})
    draft = bill(poster, "100.00", invoicing=DRAFTS)
    moved = poster.parts.decisions.release(draft.document_id, NOBODY, document_date=THURSDAY)
    assert (draft.base_total, moved.base_total) == (Decimal("110.00"), Decimal("120.00"))
    assert moved.exchange is not None
    assert moved.exchange.rate_date == THURSDAY


def test_credits_mirror_their_invoice_in_both_currencies(poster: Poster) -> None:
    """Three credits of a third each would come to a cent more than the invoice."""
    publish(poster, {FRIDAY: {"USD": "1.0873"}, date(2026, 3, 31): {"USD": "1.3"}})
    invoice = bill(poster, "40.15", "40.15", "40.15")
    poster.settle()
    for revision, (record, line) in enumerate(zip(("c0", "c1", "c2"), invoice.lines, strict=True)):
        assert line.charge_ids == (record,)
        poster.withdraw(record, revision=revision + 2)
        poster.settle()
    credits = [d for d in poster.documents() if d.kind is DocumentKind.CREDIT_MEMO]
    assert [credit.total for credit in credits] == [Decimal("40.15")] * 3
    assert {credit.exchange for credit in credits} == {invoice.exchange}
    assert sum((c.base_total or 0 for c in credits), Decimal(0)) == invoice.base_total
    for credit in credits:
        assert sum((n.base_amount or 0 for n in credit.lines), Decimal(0)) == credit.base_total


def test_transaction_dates_of_lines(poster: Poster) -> None:
    poster.configure(2, currencies=CurrencyPolicy(lock="transaction_date"))
    publish(poster, {FRIDAY: {"USD": "1.10"}, THURSDAY: {"USD": "1.20"}})
    options: dict[str, Any] = {"currency": "EUR", "invoicing": ON_DEMAND, "rate": "100.00"}
    poster.charge(
        make_charge("c1", work_date=THURSDAY, **options),
        make_charge("c2", work_date=FRIDAY, **options),
        mapping=2,
    )
    poster.bill(through=FRIDAY)
    document = poster.document()
    assert [line.base_amount for line in document.lines] == [Decimal("120.00"), Decimal("110.00")]
    assert document.base_total == Decimal("230.00")


def test_credits_of_lines_with_rates_of_their_own(poster: Poster) -> None:
    poster.configure(2, currencies=CurrencyPolicy(lock="transaction_date"))
    publish(poster, {FRIDAY: {"USD": "1.1007"}, THURSDAY: {"USD": "1.2003"}})
    options: dict[str, Any] = {"currency": "EUR", "invoicing": ON_DEMAND, "rate": "33.33"}
    for charge_id, day in (("c1", THURSDAY), ("c2", FRIDAY)):
        poster.charge(make_charge(charge_id, work_date=day, **options), mapping=2)
    poster.bill(through=FRIDAY)
    invoice = poster.document()
    poster.settle()
    for at, charge_id in enumerate(("c1", "c2")):
        poster.withdraw(charge_id, revision=at + 2, mapping=2)
        poster.settle()
    credits = [d for d in poster.documents() if d.kind is DocumentKind.CREDIT_MEMO]
    assert [credit.base_total for credit in credits] == [Decimal("40.01"), Decimal("36.69")]
    assert invoice.base_total == Decimal("76.70")
