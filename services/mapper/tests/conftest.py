"""A migrated mapper schema per test, and the mapper's parts on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hourbridge.common.store.engine import Store
from tests.support.clocks import SteppingClock
from tests.support.mapping import MapperBench


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    opened = Store(database_for("mapper"), "mapper")
    yield opened
    opened.close()


@pytest.fixture
def bench(store: Store, clock: SteppingClock) -> MapperBench:
    return MapperBench(store, clock)
