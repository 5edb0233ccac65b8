"""The sizes of Hourbridge's own messages, so that floor and peer carry the same bytes."""

from __future__ import annotations

from statistics import median

import pika

from benchmarks.contenders.hourbridge import Hourbridge
from benchmarks.throughput import run_load
from benchmarks.workload import Sizes, reported_event
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import CHARGE_SET_CHANGED, EVENTS_EXCHANGE, accepted_type

_RECORDS = 200


def measure_sizes(contender: Hourbridge) -> Sizes:
    """Let some records flow and return the median body of each hop, read off a queue of our own."""
    connection = pika.BlockingConnection(pika.URLParameters(contender.broker_url))
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    types = (accepted_type(RecordType.TIME_ENTRY), CHARGE_SET_CHANGED)
    for message_type in types:
        channel.queue_bind(queue, EVENTS_EXCHANGE, message_type.removeprefix("hourbridge."))
    run_load(contender, run="sizes", records=_RECORDS)
    found: dict[str, list[int]] = {message_type: [] for message_type in types}
    for _method, properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=1):
        if properties is None or body is None:
            break
        found[str(properties.type)].append(len(body))
    connection.close()
    accepted, charge_set = (int(median(found[message_type])) for message_type in types)
    return Sizes(len(reported_event(0, "sizes")), accepted, charge_set)
