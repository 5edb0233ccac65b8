"""What RabbitMQ and its clients do that the design leans on or steers around.

Each test states the trap with an independent client (pika's blocking connection, kombu), so that
a broker upgrade that changes the behaviour is noticed here and not in production.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import amqp
import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker, ConnectionClosedByBroker

from tests.integration.bus.helpers import WAIT_SECONDS, eventually

pytestmark = pytest.mark.broker

QUORUM = {"x-queue-type": "quorum"}
PERSISTENT = pika.BasicProperties(delivery_mode=2)


class Broker:
    """A blocking client with the few calls that the tests need."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._open: list[pika.BlockingConnection] = []
        self.channel = self.new_channel()

    def new_channel(self) -> BlockingChannel:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        self._open.append(connection)
        return connection.channel()

    def quorum(self, name: str, **arguments: Any) -> str:
        named = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.channel.queue_declare(name, durable=True, arguments={**QUORUM, **named})
        return name

    def put(self, queue: str, body: bytes = b"m", **properties: Any) -> None:
        given = pika.BasicProperties(delivery_mode=2, **properties)
        self.channel.confirm_delivery()
        self.channel.basic_publish("", queue, body, given)

    def depth(self, queue: str) -> int:
        return int(self.channel.queue_declare(queue, passive=True).method.message_count)

    def get(
        self, queue: str, channel: BlockingChannel | None = None, seconds: float = WAIT_SECONDS
    ) -> Any:
        """Return (method, properties, body) of the next message, waiting for it."""
        return eventually(
            lambda: (found := (channel or self.channel).basic_get(queue)) and found[0] and found,
            f"a message in {queue}",
            seconds,
        )

    def close(self) -> None:
        for connection in self._open:
            with contextlib.suppress(AMQPError):
                connection.close()


@pytest.fixture
def broker(broker_url: str) -> Iterator[Broker]:
    made = Broker(broker_url)
    yield made
    made.close()


def dead_to(queue: str) -> dict[str, Any]:
    return {
        "x_dead_letter_exchange": "",
        "x_dead_letter_routing_key": queue,
        "x_dead_letter_strategy": "at-least-once",
        "x_overflow": "reject-publish",
    }


def test_a_fully_automatic_dead_letter_cycle_loses_the_message(broker: Broker) -> None:
    """So the delivery limit leads to the dead queue, never into the ladder."""
    broker.quorum("work", x_delivery_limit=1, **dead_to("ladder"))
    broker.quorum("ladder", x_message_ttl=200, **dead_to("work"))
    broker.put("work")
    for _ in range(2):  # the limit is one: the second return is a death
        method, _, _ = broker.get("work")
        broker.channel.basic_reject(method.delivery_tag, requeue=True)
    time.sleep(1.5)  # the rung's time is long over
    assert broker.channel.basic_get("work")[0] is None
    assert broker.depth("ladder") == 0


def test_delivery_limit_of_minus_one_is_never_used(broker: Broker) -> None:
    """On 3.10 it acts as 0: the first return is dead-lettered; on 4.x it means unlimited."""
    broker.quorum("dead")
    broker.quorum("work", x_delivery_limit=-1, **dead_to("dead"))
    broker.put("work")
    method, _, _ = broker.get("work")
    broker.channel.basic_reject(method.delivery_tag, requeue=True)
    eventually(lambda: broker.depth("dead") == 1, "dead after one return")


@pytest.mark.parametrize("way", ["nack", "reject", "close"])
def test_every_way_of_returning_is_counted(broker: Broker, way: str) -> None:
    """So giving back is never free, and the limit is a fuse well above what restarts cost."""
    broker.quorum("work", x_delivery_limit=5)
    broker.put("work")
    for expected in range(3):
        channel = broker.new_channel()
        method, properties, _ = broker.get("work", channel)
        assert (properties.headers or {}).get("x-delivery-count", 0) == expected
        if way == "nack":
            channel.basic_nack(method.delivery_tag, requeue=True)
        elif way == "reject":
            channel.basic_reject(method.delivery_tag, requeue=True)
        channel.connection.close()


def test_a_crash_charges_every_prefetched_message(broker: Broker) -> None:
    """So a suspected message goes to a lane with a prefetch of one."""
    broker.quorum("work", x_delivery_limit=5)
    for number in range(5):
        broker.put("work", str(number).encode())
    channel = broker.new_channel()
    channel.basic_qos(prefetch_count=5)
    arrived: list[bytes] = []
    channel.basic_consume("work", lambda _c, _m, _p, body: arrived.append(body))
    eventually(lambda: (channel.connection.process_data_events(0), len(arrived) == 5)[1], "all")
    channel.connection.close()
    counts = [broker.get("work")[1].headers["x-delivery-count"] for _ in range(5)]
    assert counts == [1] * 5


def test_x_death_of_a_copied_message_is_not_ours_to_read(broker: Broker) -> None:
    """3.10 goes on counting in a copied x-death, 4.x starts afresh; ours is hb-attempt."""
    broker.quorum("dead")
    broker.quorum("work", **dead_to("dead"))
    copied = [{"count": 41, "reason": "rejected", "queue": "work", "exchange": ""}]
    broker.put("work", headers={"x-death": copied, "hb-attempt": 3})
    method, _, _ = broker.get("work")
    broker.channel.basic_reject(method.delivery_tag, requeue=False)
    _, properties, _ = broker.get("dead")
    assert properties.headers["hb-attempt"] == 3
    assert properties.headers["x-death"][0]["count"] != 1  # it believed the copy


def test_without_at_least_once_a_missing_dead_letter_target_loses_the_message(
    broker: Broker,
) -> None:
    broker.quorum("work", x_dead_letter_exchange="", x_dead_letter_routing_key="nowhere")
    broker.put("work")
    method, _, _ = broker.get("work")
    broker.channel.basic_reject(method.delivery_tag, requeue=False)
    time.sleep(0.5)
    assert broker.depth("work") == 0
    assert broker.channel.basic_get("work")[0] is None


def test_at_least_once_keeps_it_until_the_target_exists(broker: Broker) -> None:
    """It counts against the source's length meanwhile; the broker tries again after minutes."""
    broker.quorum("work", x_max_length=1, **dead_to("nowhere"))
    broker.put("work")
    method, _, _ = broker.get("work")
    broker.channel.basic_reject(method.delivery_tag, requeue=False)
    time.sleep(0.5)

    def is_refused() -> bool:
        try:
            broker.put("work")
        except pika.exceptions.NackError:
            return True
        return False

    eventually(is_refused, "the kept dead letter fills the queue")


def test_at_least_once_needs_a_quorum_queue(broker: Broker) -> None:
    with pytest.raises(ChannelClosedByBroker) as caught:
        broker.channel.queue_declare(
            "classic",
            durable=True,
            arguments={"x-dead-letter-exchange": "", "x-dead-letter-strategy": "at-least-once"},
        )
    assert caught.value.reply_code == 406


def test_a_time_to_live_counts_only_at_the_head_of_a_queue(broker: Broker) -> None:
    """So there is one queue per delay, and no expiration per message."""
    broker.quorum("late")
    broker.quorum("ladder", **dead_to("late"))
    broker.put("ladder", b"slow", expiration="60000")
    broker.put("ladder", b"fast", expiration="100")
    time.sleep(1.0)
    assert broker.depth("late") == 0
    assert broker.depth("ladder") == 2


def test_mandatory_is_satisfied_by_any_one_subscriber(broker: Broker) -> None:
    """So readiness checks every binding by name."""
    broker.channel.exchange_declare("events", "topic", durable=True)
    broker.quorum("present")
    broker.quorum("unbound")
    broker.channel.queue_bind("present", "events", "a.b.v1")
    broker.channel.confirm_delivery()
    broker.channel.basic_publish("events", "a.b.v1", b"m", PERSISTENT, mandatory=True)
    assert (broker.depth("present"), broker.depth("unbound")) == (1, 0)


def test_unroutable_is_acknowledged_and_only_mandatory_tells(broker: Broker) -> None:
    broker.channel.exchange_declare("events", "topic", durable=True)
    broker.channel.confirm_delivery()
    broker.channel.basic_publish("events", "nobody.v1", b"m", PERSISTENT)  # an ack, and lost
    with pytest.raises(pika.exceptions.UnroutableError):
        broker.channel.basic_publish("events", "nobody.v1", b"m", PERSISTENT, mandatory=True)


def test_an_alternate_exchange_silences_mandatory(broker: Broker) -> None:
    """So the exchange of our own events has none."""
    broker.quorum("rest")
    broker.channel.exchange_declare("rest", "fanout", durable=True)
    broker.channel.queue_bind("rest", "rest")
    broker.channel.exchange_declare(
        "intake", "topic", durable=True, arguments={"alternate-exchange": "rest"}
    )
    broker.channel.confirm_delivery()
    broker.channel.basic_publish("intake", "nobody.v1", b"m", PERSISTENT, mandatory=True)
    method, _, _ = broker.get("rest")
    assert (method.exchange, method.routing_key) == ("intake", "nobody.v1")


def test_fan_out_with_one_full_queue_is_nacked_though_others_have_it(broker: Broker) -> None:
    """So a nack means: publish again, and consumers deduplicate."""
    broker.channel.exchange_declare("events", "fanout", durable=True)
    broker.quorum("full", x_max_length=1, x_overflow="reject-publish")
    broker.quorum("roomy")
    for queue in ("full", "roomy"):
        broker.channel.queue_bind(queue, "events")
    broker.channel.confirm_delivery()
    nacks = 0
    for _ in range(10):
        try:
            broker.channel.basic_publish("events", "", b"m", PERSISTENT)
        except pika.exceptions.NackError:
            nacks += 1
    assert nacks > 0
    eventually(lambda: broker.depth("roomy") == 10, "refused, yet delivered to the other")


def test_headers_beyond_one_frame_end_the_connection(broker: Broker) -> None:
    """So error texts are cut and sizes are checked before publishing."""
    broker.quorum("work")
    channel = broker.new_channel()
    properties = pika.BasicProperties(headers={"text": "x" * 140_000})

    def publish_and_wait() -> None:
        channel.basic_publish("", "work", b"m", properties)
        for _ in range(50):
            channel.connection.process_data_events(0.1)

    with pytest.raises((ConnectionClosedByBroker, pika.exceptions.StreamLostError)):
        publish_and_wait()


def test_priorities_are_refused_on_quorum_queues(broker: Broker) -> None:
    """So urgent and bulk traffic have queues of their own."""
    with pytest.raises(ChannelClosedByBroker):
        broker.quorum("work", x_max_priority=5)


def test_the_queue_type_must_always_be_sent(broker: Broker) -> None:
    broker.quorum("work")
    with pytest.raises(ChannelClosedByBroker) as caught:
        broker.channel.queue_declare("work", durable=True)
    assert caught.value.reply_code == 406


OPEN = 500


def _answered_when_confirmed(channel: amqp.Channel) -> int:
    """Publish many without waiting and one with; return the highest tag answered by then."""
    answered = [0]
    channel.confirm_select()
    channel.events["basic_ack"].add(lambda tag, _multiple: answered.append(tag))
    for _ in range(OPEN):
        channel._basic_publish(amqp.Message("open", delivery_mode=2), "", "work")
    channel.basic_publish_confirm(amqp.Message("mine", delivery_mode=2), "", "work")
    return max(answered)


def test_kombus_confirm_takes_any_answer_for_its_own(broker: Broker, broker_url: str) -> None:
    """py-amqp, which kombu publishes through, returns at the first ack that arrives, whosever."""
    broker.quorum("work")
    given = pika.URLParameters(broker_url)
    connection = amqp.Connection(
        host=f"{given.host}:{given.port}",
        userid=given.credentials.username,
        password=given.credentials.password,
        virtual_host=given.virtual_host,
        confirm_publish=True,
    )
    connection.connect()
    try:
        answered = [_answered_when_confirmed(connection.channel()) for _ in range(5)]
    finally:
        connection.close()
    assert min(answered) < OPEN + 1  # "confirmed" while only earlier ones had been answered
