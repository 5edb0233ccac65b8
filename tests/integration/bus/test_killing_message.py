"""A message that kills whoever handles it costs only itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Delivery
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import QUEUES
from tests.integration.bus.helpers import WORK, event_message, eventually, fetch_until, names
from tests.integration.bus.killer_process import KILLER

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[3]
DEATHS_MAX = 12
"""Two on the work lane, two on the suspect lane, and room for bad luck with the timing."""


def _start(url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.integration.bus.killer_process", url]
    return subprocess.Popen(command, cwd=ROOT)


def test_it_ends_in_the_dead_queue_and_its_neighbours_go_through(
    rabbit: RabbitBus, broker_url: str
) -> None:
    good = [event_message(f"m{n}") for n in range(1000)]
    rabbit.publish([*good[:500], event_message(KILLER), *good[500:]])
    dead_queue = rabbit.subscribe(QUEUES["mapper"].dead, prefetch=10)
    deaths = 0
    process = _start(broker_url)
    try:
        dead: list[Delivery] = []
        while not dead:
            dead = dead_queue.fetch(10, 0.2)
            if process.poll() is not None:
                assert process.returncode == -9
                deaths += 1
                assert deaths <= DEATHS_MAX
                process = _start(broker_url)
        assert names(dead) == [KILLER]
        assert dead[0].headers[h.CAUSE] == "killed_its_holder"
        assert dead[0].headers[h.QUEUE] == WORK
        assert deaths >= 4
        outputs = rabbit.subscribe(QUEUES["reconciler"].work, prefetch=2000)
        wanted = {f"out-m{n}" for n in range(1000)}
        arrived: set[str | None] = set()

        def all_went_through() -> bool:
            deliveries = outputs.fetch(1000, 0.2)
            outputs.acknowledge(deliveries)
            arrived.update(names(deliveries))
            return wanted <= arrived

        eventually(all_went_through, "every good message went through", 60)
        assert arrived == wanted
    finally:
        process.kill()
        process.wait(10)


def test_fetch_until_counts(rabbit: RabbitBus) -> None:
    """The helper must not pass on too few."""
    rabbit.publish([event_message("one")])
    with pytest.raises(AssertionError):
        fetch_until(rabbit.subscribe(WORK, prefetch=5), 2, seconds=1)
