"""Events in any order, any number of times, and billed at any moments: the same books come out."""

from __future__ import annotations

import contextlib
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hourbridge.common.book import InvoicingPolicy, RoundingPolicy
from hourbridge.common.bus.consumer import Received
from hourbridge.common.messages.events import Charge, DocumentKind
from hourbridge.common.money import RoundingMode
from hourbridge.common.store.engine import Store
from hourbridge.poster.journals import open_journal
from tests.support.charges import make_charge, make_expense
from tests.support.faulty_ledger import MemoryLedger
from tests.support.journals import judged
from tests.support.postgres import PostgresServer
from tests.support.posting import BOOK, Poster, charge_set
from tests.support.templates import Templates

pytestmark = [pytest.mark.database, pytest.mark.timeout(1800)]

MARCH_1, MARCH_31 = date(2026, 3, 1), date(2026, 3, 31)
CLIENTS = ("Acme", "Birch")
POLICIES = (
    (RoundingPolicy(), "entry"),
    (RoundingPolicy(increment_seconds=900, mode=RoundingMode.UP, scope="day"), "staff_task"),
    (RoundingPolicy(increment_seconds=600, scope="line"), "task"),
)
SLOW = settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
LONG = settings(SLOW, max_examples=60)
seeds = st.integers(0, 10**9)


@dataclass(frozen=True)
class Happening:
    """One revision of one record: its charge, or none when it was withdrawn."""

    record_id: str
    revision: int
    charge: Charge | None
    sequence: int

    def received(self) -> Received:
        charges = [] if self.charge is None else [self.charge]
        return charge_set(self.record_id, charges, self.revision, 1, (self.sequence,))


def history(seed: int, policies: int) -> list[Happening]:
    """Return what happens to some records, in the order of its times."""
    chance = random.Random(seed)
    pairs = POLICIES[:policies]
    happenings: list[Happening] = []
    live: dict[str, tuple[int, Charge]] = {}
    for sequence in range(1, chance.randint(6, 18) + 1):
        if live and chance.random() < 0.4:
            record_id = chance.choice(sorted(live))
            revision, charge = live[record_id]
            changed = _changed(charge, chance)
            if changed is None:
                del live[record_id]
            else:
                live[record_id] = (revision + 1, changed)
            happenings.append(Happening(record_id, revision + 1, changed, sequence))
        else:
            record_id = f"r{sequence:02}"
            charge = _charge(record_id, chance, *chance.choice(pairs))
            live[record_id] = (1, charge)
            happenings.append(Happening(record_id, 1, charge, sequence))
    return happenings


def _charge(record_id: str, chance: random.Random, policy: RoundingPolicy, lines: str) -> Charge:
    common: dict[str, Any] = {
        "client": chance.choice(CLIENTS),
        "project": chance.choice(("P1", "P2")),
        "work_date": MARCH_1 + timedelta(days=chance.randint(0, 30)),
        "rounding": policy,
        "invoicing": InvoicingPolicy.model_validate({"lines": lines, "grouping": "client_month"}),
    }
    if chance.random() < 0.2:
        return make_expense(record_id, f"{chance.randint(1, 9999)}.25", **common)
    return make_charge(
        record_id,
        chance.randint(0, 20_000),
        staff=chance.choice(("Anna", "Ben")),
        rate=chance.choice(("150.00", "99.99")),
        **common,
    )


def _changed(charge: Charge, chance: random.Random) -> Charge | None:
    """Return another length, another client, or nothing."""
    if chance.random() < 0.25:
        return None
    if chance.random() < 0.2:
        other = CLIENTS[1 - CLIENTS.index(charge.client)]
        moved = {"client": other, "customer": charge.customer.model_copy(update={"name": other})}
        return charge.model_copy(update=moved)
    if charge.kind == "expense":
        return charge.model_copy(update={"amount": Decimal(chance.randint(1, 999))})
    seconds = chance.randint(0, 20_000)
    return charge.model_copy(update={"billable_seconds": seconds, "worked_seconds": seconds})


def batches(happenings: list[Happening], chance: random.Random) -> list[list[Happening]]:
    """Cut a history at random moments."""
    found: list[list[Happening]] = [[]]
    for happening in happenings:
        found[-1].append(happening)
        if chance.random() < 0.25:
            found.append([])
    return [batch for batch in found if batch]


@pytest.fixture(scope="module")
def posters(postgres_server: PostgresServer, templates: Templates) -> Any:
    """Call it for a context with a poster of its own database."""

    @contextlib.contextmanager
    def poster() -> Iterator[Poster]:
        with postgres_server.database(template=templates.of(["poster"])) as url:
            store = Store(url, "poster", pool_size=2)
            try:
                made = Poster(store, MemoryLedger())
                made.configure()
                yield made
            finally:
                store.close()

    return poster


def run(poster: Poster) -> None:
    poster.bill(MARCH_31)
    poster.settle()


def documents(poster: Poster) -> list[dict[str, Any]]:
    """Return all documents; which of two credit memos got which number is nobody's business."""
    found = []
    for document in poster.documents():
        shown = document.model_dump(mode="json", exclude_none=True)
        for volatile in ("posted", "cut_off_at", "version"):
            shown.pop(volatile, None)
        if document.kind is DocumentKind.CREDIT_MEMO:
            shown.pop("number")
            shown.pop("document_id")
            for line in shown["lines"]:
                line.pop("line_id")
        found.append(shown)
    return sorted(found, key=repr)


def same_documents(posters: Any, seed: int) -> None:
    """Feed one poster in order, once; another one shuffled, repeatedly, with old news."""
    chance = random.Random(seed)
    happenings = history(seed, len(POLICIES))
    cut = batches(happenings, chance)
    with posters() as orderly, posters() as messy:
        told: list[Received] = []
        for batch in cut:
            news = [happening.received() for happening in batch]
            orderly.feed(*news)
            told += news
            old = [chance.choice(told) for _ in range(3)]
            messy.feed_shuffled([*news, *old], seed, times=2)
            for poster in (orderly, messy):
                run(poster)
            assert documents(orderly) == documents(messy)
        assert accounts(orderly) == accounts(messy)


def same_net(posters: Any, seed: int, folder: Path) -> None:
    """Bill one poster at the end only; another one again and again, correcting in between."""
    chance = random.Random(seed)
    happenings = history(seed, 1)
    with posters() as once, posters() as often:
        once.feed(*(happening.received() for happening in happenings))
        for batch in batches(happenings, chance):
            often.feed(*(happening.received() for happening in batch))
            run(often)
        for poster in (once, often):
            run(poster)
            run(poster)
        assert accounts(once) == accounts(often)
        assert net_of_entries(once) == net_of_entries(often)
        assert once.net_billed() == often.net_billed()
        with open_journal(often.store, BOOK) as journal:
            judged(list(journal.entries()), folder)


def accounts(poster: Poster) -> dict[tuple[str, str], Decimal]:
    """Return what each account holds of each client."""
    found = {}
    with open_journal(poster.store, BOOK) as journal:
        for client in CLIENTS:
            for row in journal.balances(client):
                if row["amount"]:
                    found[client, row["account"]] = row["amount"]
    return found


def net_of_entries(poster: Poster) -> dict[str, Decimal]:
    """Return what each entry was billed, less what was credited, plus what was added."""
    entry_of: dict[str, str] = {}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    rows = poster.rows("SELECT line_id, charge_id FROM line_charge")
    charges = {row.line_id: row.charge_id for row in rows}
    for document in poster.documents():
        sign = 1 if document.kind is DocumentKind.INVOICE else -1
        for line in document.lines:
            origin = line.credits_line_id or line.supplements_line_id
            entry = charges.get(line.line_id) or entry_of[str(origin)]
            entry_of[line.line_id] = entry
            sums[entry] += sign * line.amount
    return {entry: amount for entry, amount in sums.items() if amount}


@SLOW
@given(seed=seeds)
def test_permutations_and_replays_give_identical_documents(posters: Any, seed: int) -> None:
    same_documents(posters, seed)


@SLOW
@given(seed=seeds)
def test_whenever_it_is_billed_the_net_of_each_entry_is_the_same(
    posters: Any, seed: int, tmp_path: Path
) -> None:
    same_net(posters, seed, tmp_path)


@pytest.mark.long
@LONG
@given(seed=seeds)
def test_permutations_and_replays_many_times(posters: Any, seed: int) -> None:
    same_documents(posters, seed)


@pytest.mark.long
@LONG
@given(seed=seeds)
def test_whenever_it_is_billed_many_times(posters: Any, seed: int, tmp_path: Path) -> None:
    same_net(posters, seed, tmp_path)
