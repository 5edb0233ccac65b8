"""A connector in front of a running BigTime stand-in, and what an ingestor would hold of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.bigtime_firm import SMALL, BigTimeFirm, add_firm, running_bigtime
from tests.support.bigtime_source import NOW, Held, Opened, open_source

OpenFirm = Callable[..., Opened]


@pytest.fixture(scope="session")
def running() -> Iterator[BigTimeFirm]:
    with running_bigtime() as firm:
        yield firm


@pytest.fixture
def firm(running: BigTimeFirm) -> BigTimeFirm:
    """A stand-in as if just started, on the connector's own day."""
    running.server.world.reset()
    running.set_clock(NOW)
    return add_firm(running, SMALL)


@pytest.fixture
def open_firm(firm: BigTimeFirm) -> Iterator[OpenFirm]:
    """Open the firm with settings; as a user of it instead of with its key where one is given."""
    with contextlib.ExitStack() as stack:

        def opener(user: str | None = None, **settings: Any) -> Opened:
            secret = firm.key if user is None else user
            name = None if user is None else f"{user}@acme.test"
            opened = open_source(firm.api_url, firm.realm, secret, user=name, **settings)
            stack.callback(opened.source.close)
            return opened

        yield opener


@pytest.fixture
def opened(open_firm: OpenFirm) -> Opened:
    return open_firm()


@pytest.fixture
def held() -> Held:
    return Held()
