"""A migrated mapper schema per test, and the mapper's parts on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from hourbridge.common.store.engine import Store
from tests.support.mapping import MapperBench


class StandingClock:
    """A clock that stands still until told to go on; waiting takes no time."""

    def __init__(self, now: datetime = datetime(2026, 4, 1, 12, tzinfo=UTC)) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def monotonic_seconds(self) -> float:
        return self.instant.timestamp()

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here should wait {seconds} s")


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    opened = Store(database_for("mapper"), "mapper")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store, clock: StandingClock) -> MapperBench:
    return MapperBench(store, clock)
