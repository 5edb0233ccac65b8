"""Trackers are told what became of the invoices that were composed in them: what the book asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book.write_back import WriteBackRule
from hourbridge.common.errors import SourceRefused, SourceUnavailable
from hourbridge.common.messages.events import DocumentStatus
from hourbridge.common.store.engine import Store
from tests.support.charges import hours, make_charge
from tests.support.currencies import stated_payment
from tests.support.faulty_ledger import MemoryLedger
from tests.support.list_changes import MemoryLists
from tests.support.posting import Poster

ASKED = (WriteBackRule(source="toggl"),)


@pytest.fixture
def lists() -> MemoryLists:
    return MemoryLists()


@pytest.fixture
def poster(store: Store, lists: MemoryLists) -> Poster:
    poster = Poster(store, MemoryLedger(), targets=lists.targets())
    poster.configure(write_back=ASKED)
    return poster


def bill(poster: Poster, record: str = "a", composed_as: str | None = "INV-7") -> None:
    received = poster.changed(record, [make_charge(record, hours("5"))])
    data = received.event.data.model_copy(update={"composed_as": composed_as})
    event = received.event.model_copy(update={"data": data})
    poster.feed(replace(received, event=event))
    poster.bill()


def pay(poster: Poster, record: str, amount: str, **changes: Any) -> None:
    poster.feed(stated_payment(poster, record, currency="USD", amount=amount, **changes))
    poster.parts.currencies.payments.run_due()
    poster.post()
    poster.parts.lists.run_due()


def told(lists: MemoryLists) -> list[tuple[str, str, Decimal]]:
    return [(mark.kind, mark.external_id, mark.paid) for mark in lists.marks]


def test_a_posted_invoice_and_its_payments_are_told(poster: Poster, lists: MemoryLists) -> None:
    bill(poster)
    assert poster.parts.lists.run_due() == 0, "not before the ledger has it"
    poster.post()
    assert poster.parts.lists.run_due() == 1
    (mark,) = lists.marks
    document = poster.document()
    assert document.posted is not None
    assert (mark.kind, mark.external_id, mark.number) == ("invoice_posted", "INV-7", "HB-1")
    assert (mark.ledger_id, mark.total, mark.on) == (
        document.posted.ledger_id,
        Decimal("750.00"),
        date(2026, 4, 2),
    )
    pay(poster, "p1", "250.00")
    pay(poster, "p2", "500.00", in_ledger=True)
    assert told(lists)[1:] == [
        ("paid", "INV-7", Decimal("250.00")),
        ("paid", "INV-7", Decimal("750.00")),
    ]
    assert lists.opened == ["toggl"], "one lane, one connection"
    assert poster.rows("SELECT * FROM audit WHERE action = 'list.mark'")


@pytest.mark.parametrize(
    ("composed_as", "asked"),
    [
        (None, ASKED),
        ("INV-7", ()),
        ("INV-7", (WriteBackRule(source="toggl", marks=("paid",)),)),
    ],
)
def test_only_what_was_composed_there_and_is_asked_for(
    store: Store, lists: MemoryLists, composed_as: str | None, asked: Any
) -> None:
    poster = Poster(store, MemoryLedger(), targets=lists.targets())
    poster.configure(write_back=asked)
    bill(poster, composed_as=composed_as)
    poster.post()
    poster.parts.lists.run_due()
    assert poster.document().status is DocumentStatus.POSTED
    assert lists.marks == []


def test_a_tracker_that_is_away_is_told_later_and_holds_up_nothing(
    poster: Poster, lists: MemoryLists
) -> None:
    lists.faults = [SourceUnavailable("maintenance"), None]
    bill(poster)
    poster.post()
    poster.parts.lists.run_due()
    (lane,) = poster.parts.status.lanes()
    assert (lane["ledger"], lane["state"]) == ("source:toggl", "paused")
    bill(poster, "b", "INV-8")
    assert poster.post() == 1
    poster.clock.step(seconds=10)
    poster.parts.lists.run_due()
    assert [external for _, external, _ in told(lists)] == ["INV-7", "INV-8"]
    assert [mark.is_repeat for mark in lists.marks] == [True, False]


def test_an_invoice_that_the_tracker_has_no_more_is_kept_as_refused(
    poster: Poster, lists: MemoryLists
) -> None:
    lists.faults = [SourceRefused("gone", reason_code="entry_missing")]
    bill(poster)
    poster.post()
    poster.parts.lists.run_due()
    (row,) = poster.rows("SELECT state, error_code FROM list_operation")
    assert (row.state, row.error_code) == ("refused", "entry_missing")
    poster.flush()
    assert not [m for m in poster.bus.published if "list_change" in m.type]


def test_a_book_tells_only_sources_that_it_has(poster: Poster) -> None:
    with pytest.raises(ValueError, match="unknown source 'harvest'"):
        poster.configure(2, write_back=(WriteBackRule(source="harvest"),))
