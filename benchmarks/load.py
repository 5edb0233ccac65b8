"""The load: a process of its own that publishes entries, as fast as it can or at a steady rate.

``python -m benchmarks.load '<JSON of Load>'`` prepares, writes ``ready``, waits for a line on its
standard input, publishes, and writes one JSON line that says when.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import pika

from benchmarks.children import Child, Children, log_to_standard_error
from benchmarks.workload import MESSAGES
from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.bus.rabbit import RabbitBus

_CHUNK_MESSAGES = 500
_PREPARED_MESSAGES_MAX = 50_000
"""Beyond this many the bodies are made while sending, so that the load does not fill the memory."""
_CONFIRM_SECONDS = 120


@dataclass(frozen=True)
class Load:
    """Which entries to publish, in which dialect, and how fast."""

    broker_url: str
    dialect: str
    run: str
    first: int
    count: int
    rate_per_second: float = 0
    """0: as fast as the broker confirms."""


def start_load(children: Children, load: Load) -> Child:
    """Start the loader and return when it is ready to publish."""
    child = children.start(f"load-{load.run}", ["-m", "benchmarks.load", json.dumps(asdict(load))])
    child.await_line("ready")
    return child


def go(child: Child) -> None:
    """Let a ready loader publish."""
    child.input.write("go\n")
    child.input.flush()


def sent(child: Child) -> dict[str, Any]:
    """Wait until the loader is done and return what it reported."""
    line = child.output.readline()
    child.process.wait()
    if not line:
        child.ensure_running()
    report: dict[str, Any] = json.loads(line)
    return report


def _publish_fast(load: Load) -> dict[str, Any]:
    write = MESSAGES[load.dialect]
    numbers = range(load.first, load.first + load.count)
    prepared = {n: write(n, load.run) for n in numbers[:_PREPARED_MESSAGES_MAX]}
    bus = RabbitBus(load.broker_url, name="bench-load")
    bus.publish([], timeout_seconds=_CONFIRM_SECONDS)
    _announce_and_wait()
    started = time.time()
    for at in range(0, load.count, _CHUNK_MESSAGES):
        chunk = [prepared.get(n) or write(n, load.run) for n in numbers[at : at + _CHUNK_MESSAGES]]
        bus.publish(chunk, timeout_seconds=_CONFIRM_SECONDS)
    ended = time.time()
    bus.close()
    return {"started": started, "ended": ended}


def _publish_steadily(load: Load) -> dict[str, Any]:
    write = MESSAGES[load.dialect]
    messages = [write(n, load.run) for n in range(load.first, load.first + load.count)]
    connection = pika.BlockingConnection(pika.URLParameters(load.broker_url))
    channel = connection.channel()
    _announce_and_wait()
    started = time.time()
    times, late = [], 0.0
    for index, message in enumerate(messages):
        due = started + index / load.rate_per_second
        while (ahead := due - time.time()) > 0:
            connection.sleep(ahead)
        late = max(late, -ahead)
        times.append(time.time())
        _send(channel, message)
    connection.close()
    return {"started": started, "ended": times[-1], "times": times, "late_seconds": late}


def _send(channel: Any, message: Outgoing) -> None:
    properties = pika.BasicProperties(
        content_type=message.content_type,
        delivery_mode=2,
        message_id=message.message_id,
        type=message.type,
        headers=dict(message.headers),
    )
    channel.basic_publish(message.exchange, message.routing_key, message.body, properties)


def _announce_and_wait() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def main() -> None:
    """Publish what the first argument says."""
    log_to_standard_error()
    load = Load(**json.loads(sys.argv[1]))
    report = _publish_steadily(load) if load.rate_per_second else _publish_fast(load)
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
