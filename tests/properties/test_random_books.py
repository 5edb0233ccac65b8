"""Journals of random books before hledger and beancount; their balances are ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hourbridge.billing.journal.balances import balances_of, imbalances
from hourbridge.billing.journal.entries import JournalEntry
from tests.support.journals import judged
from tests.support.oracles import beancount_rows, hledger_balances
from tests.support.random_books import RandomBook

LONG = 200
EVENTS = 30


def balances(entries: Sequence[JournalEntry]) -> dict[tuple[str, str], Decimal]:
    found = balances_of(entries)
    sums = {(key.account, key.currency): balance.amount for key, balance in found.items()}
    return {key: amount for key, amount in sums.items() if amount}


def carried(entries: Sequence[JournalEntry]) -> dict[tuple[str, str], Decimal]:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for key, balance in balances_of(entries).items():
        sums[key.account, key.base_currency] += balance.base_amount
    return {key: amount for key, amount in sums.items() if amount}


def examine(seed: int, folder: Path) -> None:
    """Let both programs check a random book's journal, and compare their balances to ours."""
    book = RandomBook(seed)
    entries = book.live(EVENTS)
    ledger, beans = judged(entries, folder, base=book.base)
    assert hledger_balances(ledger) == balances(entries)
    assert hledger_balances(ledger, "-B") == carried(entries)
    query = "select account, currency, sum(number) group by account, currency"
    theirs = {(row[0], row[1]): Decimal(row[2]) for row in beancount_rows(beans, query)}
    assert {key: amount for key, amount in theirs.items() if amount} == balances(entries)


@pytest.mark.parametrize("seed", range(8))
def test_both_programs_accept_a_random_book(seed: int, tmp_path: Path) -> None:
    examine(seed, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", range(0, LONG, 20))
def test_both_programs_accept_many_random_books(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 20):
        examine(1000 + seed, tmp_path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**9), events=st.integers(0, 40))
def test_journals_balance_in_every_currency(seed: int, events: int) -> None:
    book = RandomBook(seed)
    entries = book.live(events)
    assert imbalances(entries) == []
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for key, balance in balances_of(entries).items():
        totals[key.base_currency] += balance.base_amount
    assert set(totals.values()) <= {Decimal(0)}


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9))
def test_a_voided_book_leaves_nothing(seed: int) -> None:
    """Withdrawing every document takes back every entry, to the last cent of each currency."""
    book = RandomBook(seed)
    book.live(20)
    newest = {state.document_id: state for state in book.states}
    for state in newest.values():
        if state.status != "withdrawn":
            changes = {"version": state.version + 1, "status": "withdrawn"}
            book.states.append(type(state).model_validate({**state.model_dump(), **changes}))
    assert balances(book.live(0)) == {}


def test_the_same_seed_gives_the_same_book() -> None:
    assert RandomBook(7).live(30) == RandomBook(7).live(30)
