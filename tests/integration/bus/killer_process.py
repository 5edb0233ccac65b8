"""A process with the mapper's work and suspect lanes, whose handler dies of one message."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.consumer import Lane, LaneWorker, with_suspect_lane
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import SystemClock
from tests.integration.bus.helpers import WORK, FakeStore, ScriptedHandler, to_events

KILLER = "killer"


def script(name: str) -> Sequence[Outgoing]:
    if name == KILLER:
        os.kill(os.getpid(), signal.SIGKILL)
    return [to_events(f"out-{name}")]


def main(url: str) -> None:
    bus = RabbitBus(url, name="killer")
    work = Lane(WORK, ScriptedHandler(script), batch_messages_max=100, prefetch=200)
    for lane in with_suspect_lane("mapper", [work]):
        LaneWorker(
            "mapper",
            lane,
            bus=bus,
            store=FakeStore(),
            topology=build_topology((1,)),
            clock=SystemClock(),
        ).start()
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
