"""A migrated poster schema per test, a ledger in memory, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hourbridge.common import faults
from hourbridge.common.store.engine import Store
from tests.support.faulty_ledger import MemoryLedger
from tests.support.posting import Poster


@pytest.fixture
def store(database_for: Callable[..., str]) -> Iterator[Store]:
    store = Store(database_for("poster"), "poster")
    yield store
    store.close()


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def poster(store: Store, ledger: MemoryLedger) -> Poster:
    poster = Poster(store, ledger)
    poster.configure()
    return poster


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")
