"""A migrated reconciler schema per test, with its handler, a ledger in memory, and a clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from hourbridge.common.bus.consumer import Received
from hourbridge.common.store.engine import Store
from hourbridge.reconciler.discrepancies import accept, listed
from hourbridge.reconciler.handlers import SeenHandler
from hourbridge.reconciler.reconcile import Reconciler, Summary
from hourbridge.reconciler.settings import ReconcilerSettings
from tests.support.clocks import SteppingClock
from tests.support.reconciling import BOOK, MemoryLedger


class ObservedClock(SteppingClock):
    """A clock on which waiting takes no time, but is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Note the wait, and let the test do what would happen meanwhile."""
        self.slept.append(seconds)
        self.on_sleep()


class Bench:
    """Feeds events to the reconciler and runs it."""

    def __init__(self, store: Store, clock: ObservedClock, ledger: MemoryLedger) -> None:
        self.store = store
        self.clock = clock
        self.ledger = ledger
        self.settings = ReconcilerSettings()
        self._handler = SeenHandler(clock)

    def feed(self, *events: Received | Sequence[Received]) -> None:
        batch: list[Received] = []
        for given in events:
            batch += [given] if isinstance(given, Received) else given
        with self.store.transaction() as connection:
            self._handler.handle(batch, connection)

    def feed_shuffled(self, events: Sequence[Received], seed: int, batch: int = 3) -> None:
        order = list(events)
        random.Random(seed).shuffle(order)
        for start in range(0, len(order), batch):
            self.feed(order[start : start + batch])

    def reconcile(self, book: str = BOOK) -> Summary:
        reconciler = Reconciler(
            self.settings, store=self.store, clock=self.clock, ledgers=self.ledger.open
        )
        return reconciler.reconcile(book, asked_by="test")

    def open(self, book: str = BOOK) -> list[dict[str, Any]]:
        """Return the open discrepancies."""
        with self.store.transaction() as connection:
            return listed(connection, book, state="open", cause=None, limit=100)

    def findings(self, book: str = BOOK) -> dict[str, str]:
        """Reconcile; return the cause of each open discrepancy by its subject."""
        self.reconcile(book)
        return {row["subject"]: row["cause"] for row in self.open(book)}

    def accept(self, discrepancy_id: str, book: str = BOOK) -> None:
        """Close a discrepancy by a person's decision."""
        with self.store.transaction() as connection:
            now = self.clock.now()
            accept(connection, book, discrepancy_id, actor="rita", note="known", now=now)


@pytest.fixture
def clock() -> ObservedClock:
    return ObservedClock()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    opened = Store(database_for("reconciler"), "reconciler")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store, clock: ObservedClock, ledger: MemoryLedger) -> Bench:
    return Bench(store, clock, ledger)
