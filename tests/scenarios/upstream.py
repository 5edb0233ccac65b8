"""An upstream system on AMQP, written against pika alone: publishes, captures, and replays."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pika

INTAKE = "hourbridge.intake"
REJECTED = "hourbridge.intake.rejected"
PERSISTENT = 2


@dataclass(frozen=True)
class Captured:
    """A message as it was seen on an exchange."""

    exchange: str
    routing_key: str
    body: bytes
    properties: pika.BasicProperties


class Upstream:
    """One connection with publisher confirms."""

    def __init__(self, broker_url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(broker_url))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    def report(self, entries: Iterable[Mapping[str, Any]], *, book: str, source: str) -> None:
        """Publish time entries to the intake."""
        for entry in entries:
            event = {
                "specversion": "1.0",
                "id": f"{entry['external_id']}-{entry['external_version']}",
                "source": source,
                "type": "hourbridge.time_entry.reported.v1",
                "book": book,
                "datacontenttype": "application/json",
                "data": entry,
            }
            self.publish(INTAKE, "time_entry.reported.v1", json.dumps(event).encode(), source)

    def publish(self, exchange: str, routing_key: str, body: bytes, source: str = "") -> None:
        """Publish one body and wait for its confirm."""
        properties = pika.BasicProperties(
            delivery_mode=PERSISTENT,
            content_type="application/cloudevents+json",
            headers={"hb-source": source} if source else None,
        )
        self._channel.basic_publish(exchange, routing_key, body, properties)

    def listen(self, *exchanges: str) -> str:
        """Return a queue that receives a copy of everything on ``exchanges`` from now on."""
        queue = self._channel.queue_declare("", exclusive=True).method.queue
        for exchange in exchanges:
            self._channel.queue_bind(queue, exchange, "#")
        return str(queue)

    def captured(self, queue: str) -> list[Captured]:
        """Return what has arrived in a listening queue."""
        found = []
        while True:
            method, properties, body = self._channel.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            found.append(Captured(method.exchange, method.routing_key, body, properties))

    def deliver_again(self, messages: Iterable[Captured], *, times: int, seed: int) -> None:
        """Publish copies of ``messages`` in an order that the seed shuffles."""
        copies = [message for message in messages for _ in range(times)]
        random.Random(seed).shuffle(copies)
        for message in copies:
            properties = message.properties
            self._channel.basic_publish(
                message.exchange, message.routing_key, message.body, properties
            )
