"""Entries: postings that become documents, once per key, balanced or not at all."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import Account, AccountRole
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentStatus,
    ExchangeRateUsed,
    Posting,
)
from hourbridge.poster.decisions import Decision
from hourbridge.poster.entries import Entry, add_entry, check_balance
from tests.support.charges import LEDGER
from tests.support.posting import BOOK, Poster

BANK = Account(role=AccountRole.BANK, ledger=LedgerReference(name="Checking"))


def posting(role: AccountRole, amount: str, base: str | None = None, **more: Any) -> Posting:
    return Posting(role=role, amount=Decimal(amount), base_amount=Decimal(base or amount), **more)


RECEIPT = Entry(
    book=BOOK,
    ledger=LEDGER,
    key=("receipt", "r1"),
    purpose="retainer_receipt",
    document_date=date(2026, 1, 5),
    currency="USD",
    postings=(
        posting(AccountRole.BANK, "2000.00"),
        posting(AccountRole.CUSTOMER_DEPOSITS, "-2000.00"),
    ),
    client="Acme",
    customer=LedgerReference(name="Acme"),
    engagement="main",
)


def add(poster: Poster, entry: Entry) -> Document | None:
    with poster.store.transaction() as connection:
        return add_entry(connection, poster.parts.documents, poster.clock, entry)


def test_an_entry_is_posted_once_however_often_it_is_added(poster: Poster) -> None:
    poster.configure(2, accounts=(BANK,))
    document = add(poster, RECEIPT)
    assert document is not None
    assert (document.kind, document.number, document.total) == ("journal_entry", "HBJ-1", 2000)
    assert document.postings[0].account == LedgerReference(name="Checking")
    assert document.postings[1].account is None
    assert (document.configuration_version, document.base_total) == (2, None)
    for _ in range(2):
        poster.settle()
        assert add(poster, RECEIPT) is None
    assert poster.document().status is DocumentStatus.POSTED
    assert len(poster.ledger.of_kind(DocumentKind.JOURNAL_ENTRY)) == 1  # type: ignore[attr-defined]


def test_two_at_once_make_one(poster: Poster) -> None:
    made: list[Document | None] = []
    together = threading.Barrier(4)

    def race() -> None:
        together.wait()
        made.append(add(poster, RECEIPT))

    racers = [threading.Thread(target=race) for _ in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [document.number for document in made if document] == ["HBJ-1"]
    assert len(made) == 4


def test_other_keys_and_ledgers_are_other_entries() -> None:
    other = LEDGER.model_copy(update={"company_id": "2"})
    variants = [
        RECEIPT,
        replace(RECEIPT, key=("receipt", "r2")),
        replace(RECEIPT, key=("receiptr1",)),
        replace(RECEIPT, book="another"),
        replace(RECEIPT, ledger=other),
    ]
    assert len({entry.document_id for entry in variants}) == len(variants)
    assert replace(RECEIPT, memo="said otherwise").document_id == RECEIPT.document_id


@pytest.mark.parametrize(
    "postings",
    [
        (posting(AccountRole.BANK, "5.00"), posting(AccountRole.REVENUE, "-4.99")),
        (posting(AccountRole.BANK, "5.00", "6.00"), posting(AccountRole.REVENUE, "-5.00", "-5.99")),
        (posting(AccountRole.BANK, "0.00"),),
        (),
    ],
)
def test_what_does_not_balance_is_never_stored(
    poster: Poster, postings: tuple[Posting, ...]
) -> None:
    with pytest.raises(InvariantViolated):
        add(poster, replace(RECEIPT, postings=postings))
    assert poster.documents() == []


def test_a_draft_waits_for_its_release(poster: Poster) -> None:
    document = add(poster, replace(RECEIPT, is_draft=True))
    assert document is not None
    poster.settle()
    assert poster.document().status is DocumentStatus.DRAFT
    poster.parts.decisions.release(document.document_id, Decision("ann"))
    poster.settle()
    assert poster.document().status is DocumentStatus.POSTED


def test_a_withdrawn_draft_stays_withdrawn(poster: Poster) -> None:
    document = add(poster, replace(RECEIPT, is_draft=True))
    assert document is not None
    poster.parts.decisions.withdraw(document.document_id, Decision("ann"))
    assert add(poster, replace(RECEIPT, is_draft=True)) is None
    poster.settle()
    assert poster.document().status is DocumentStatus.WITHDRAWN


def test_what_the_ledger_had_first_is_never_sent(poster: Poster) -> None:
    entry = replace(RECEIPT, in_ledger=True, kind=DocumentKind.PAYMENT, number_prefix="HBP")
    document = add(poster, entry)
    assert document is not None
    assert (document.status, document.posted, document.number) == ("posted", None, "HBP-1")
    poster.settle()
    assert poster.ledger.writes == []  # type: ignore[attr-defined]
    assert [told.status for told in poster.flush()] == ["posted"]


def test_a_foreign_entry_keeps_both_amounts_and_the_rate(poster: Poster) -> None:
    rate = ExchangeRateUsed(
        rate_id="r",
        source="ecb",
        base_currency="USD",
        value=Decimal("1.0432"),
        wanted_date=date(2026, 1, 5),
        rate_date=date(2026, 1, 5),
    )
    postings = (
        posting(AccountRole.BANK, "250.00", "260.80"),
        posting(AccountRole.CUSTOMER_DEPOSITS, "-250.00", "-260.80"),
    )
    document = add(poster, replace(RECEIPT, currency="EUR", exchange=rate, postings=postings))
    assert document is not None
    assert (document.total, document.base_total) == (Decimal("250.00"), Decimal("260.80"))
    assert document.exchange == rate


def test_an_entry_of_an_unknown_book_is_refused(poster: Poster) -> None:
    with pytest.raises(InvariantViolated, match="not configured"):
        add(poster, replace(RECEIPT, book="nobody's"))


def test_balance_is_checked_without_a_database() -> None:
    check_balance(RECEIPT)
