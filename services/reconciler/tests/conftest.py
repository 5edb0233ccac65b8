"""A migrated reconciler schema per test, with its handler, a ledger in memory, and a clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hourbridge.common.bus.consumer import Received
from hourbridge.common.store.engine import Store
from hourbridge.reconciler.handlers import SeenHandler
from hourbridge.reconciler.reconcile import Reconciler, Summary
from hourbridge.reconciler.settings import ReconcilerSettings
from tests.support.reconciling import BOOK, MemoryLedger


class SteppingClock:
    """A clock that stands still until told to go on; waiting takes no time."""

    def __init__(self, now: datetime = datetime(2026, 4, 1, 12, tzinfo=UTC)) -> None:
        self.instant = now
        self.slept: list[float] = []
        self.on_sleep: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.instant

    def monotonic_seconds(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()

    def step(self, **duration: float) -> None:
        self.instant += timedelta(**duration)


class Bench:
    """Feeds events to the reconciler and runs it."""

    def __init__(self, store: Store, clock: SteppingClock, ledger: MemoryLedger) -> None:
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


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    opened = Store(database_for("reconciler"), "reconciler")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store, clock: SteppingClock, ledger: MemoryLedger) -> Bench:
    return Bench(store, clock, ledger)
