"""A mapper that keeps lists, per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hourbridge.common.store.engine import Store
from services.mapper.tests.lists.lists_bench import ListsBench
from tests.support.clocks import SteppingClock


@pytest.fixture
def lists(database_for: Callable[..., str]) -> Iterator[ListsBench]:
    store = Store(database_for("mapper"), "mapper")
    yield ListsBench(store, SteppingClock())
    store.close()
