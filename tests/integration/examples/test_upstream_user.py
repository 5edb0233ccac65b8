"""An upstream user may report and read its own refusals, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import build_topology
from tests.integration.examples import upstream_user
from tests.support.rabbitmq import RabbitServer

pytestmark = [pytest.mark.broker]

ACCESS_REFUSED = 403


@pytest.fixture
def channel(broker_url: str, rabbitmq_node: RabbitServer) -> Iterator[BlockingChannel]:
    """Yield a channel of an upstream user on a broker that holds the topology."""
    bus = RabbitBus(broker_url)
    bus.apply(build_topology())
    bus.close()
    url = upstream_user.create(rabbitmq_node, broker_url)
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    connection.close()


def refused(error: pytest.ExceptionInfo[ChannelClosedByBroker]) -> bool:
    """Return whether the broker refused for lack of permission."""
    return bool(error.value.reply_code == ACCESS_REFUSED)


def test_may_report(channel: BlockingChannel) -> None:
    channel.basic_publish("hourbridge.intake", "time_entry.reported.v1", b"{}")


@pytest.mark.parametrize(
    ("exchange", "routing_key"),
    [
        ("hourbridge.events", "time_entry.accepted.v1"),
        ("hourbridge.bulk", "time_entry.accepted.v1"),
        ("hourbridge.intake", "charge_set.changed.v1"),
        ("hourbridge.dead", "mapper.dead.v1"),
        ("", "poster.work.v1"),
    ],
)
def test_may_not_publish_elsewhere(
    channel: BlockingChannel, exchange: str, routing_key: str
) -> None:
    with pytest.raises(ChannelClosedByBroker) as error:
        channel.basic_publish(exchange, routing_key, b"{}")
    assert refused(error)


def test_may_read_its_own_refusals(channel: BlockingChannel) -> None:
    channel.queue_declare("timesheets.rejected", durable=True)
    channel.queue_bind("timesheets.rejected", "hourbridge.intake.rejected", "timesheets")


def test_may_not_read_the_refusals_of_others(channel: BlockingChannel) -> None:
    channel.queue_declare("timesheets.rejected", durable=True)
    with pytest.raises(ChannelClosedByBroker) as error:
        channel.queue_bind("timesheets.rejected", "hourbridge.intake.rejected", "other")
    assert refused(error)


def test_may_not_listen_to_events(channel: BlockingChannel) -> None:
    channel.queue_declare("timesheets.events", durable=True)
    with pytest.raises(ChannelClosedByBroker) as error:
        channel.queue_bind("timesheets.events", "hourbridge.events", "#")
    assert refused(error)


def test_may_not_take_from_a_service(channel: BlockingChannel) -> None:
    with pytest.raises(ChannelClosedByBroker) as error:
        channel.basic_get("mapper.work.v1")
    assert refused(error)
