"""Declaring a topology on RabbitMQ, and finding what of it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pika.channel import Channel

from hourbridge.common.bus import rpc
from hourbridge.common.bus.link import Link
from hourbridge.common.bus.rpc import Refusal, Reply, Step
from hourbridge.common.bus.topology import Binding, Exchange, Queue, Topology
from hourbridge.common.errors import TopologyMismatch

BoundTriple = tuple[str, str, str]
"""Exchange, queue and routing key."""


def exchange_step(exchange: Exchange, *, passive: bool = False) -> Step:
    """Return the declaration of an exchange."""
    arguments = {"alternate-exchange": exchange.alternate} if exchange.alternate else {}

    def request(channel: Channel, reply: Reply) -> None:
        channel.exchange_declare(
            exchange.name,
            exchange.type,
            passive=passive,
            durable=True,
            arguments=arguments,
            callback=reply,
        )

    return Step(f"exchange {exchange.name}", request)


def queue_step(queue: Queue, *, passive: bool = False) -> Step:
    """Return the declaration of a queue."""
    arguments: dict[str, Any] = dict(queue.arguments)

    def request(channel: Channel, reply: Reply) -> None:
        channel.queue_declare(
            queue.name, passive=passive, durable=True, arguments=arguments, callback=reply
        )

    return Step(f"queue {queue.name}", request)


def binding_step(binding: Binding) -> Step:
    """Return the binding of a queue; binding again what is bound changes nothing."""

    def request(channel: Channel, reply: Reply) -> None:
        channel.queue_bind(
            binding.queue, binding.exchange, routing_key=binding.routing_key, callback=reply
        )

    return Step(_label(binding), request)


def _label(binding: Binding) -> str:
    return f"binding {binding.exchange} -[{binding.routing_key}]-> {binding.queue}"


def apply(link: Link, topology: Topology) -> None:
    """Declare everything in dependency order; raise TopologyMismatch at other arguments."""
    alternates_first = sorted(topology.exchanges, key=lambda exchange: bool(exchange.alternate))
    steps = [exchange_step(exchange) for exchange in alternates_first]
    steps += [queue_step(queue) for queue in topology.queues]
    steps += [binding_step(binding) for binding in topology.bindings]
    try:
        rpc.run(link, steps)
    except rpc.Refused as error:
        if error.refusal.code != rpc.PRECONDITION_FAILED:
            raise
        raise TopologyMismatch(error.refusal.text, object=error.refusal.step.label) from None


def problems(
    link: Link, topology: Topology, bound: Callable[[], set[BoundTriple]] | None
) -> list[str]:
    """Return what of ``topology`` is missing or different.

    Bindings can't be listed over AMQP, and ``mandatory`` shows only that some queue is bound.
    With ``bound`` (the management API) they are compared, without changing anything. Without it
    each one is bound again: that has no effect on messages or consumers, is the same on every
    version, and afterwards the binding certainly exists; what it can't tell is whether it was
    missing until now. A user without the right to bind gets a problem reported, not a guess.
    """
    passive = [exchange_step(exchange, passive=True) for exchange in topology.exchanges]
    passive += [queue_step(queue, passive=True) for queue in topology.queues]
    missing = rpc.refusals(link, passive)
    absent = {refusal.step.label for refusal in missing}
    return [
        *(f"{refusal.step.label}: {refusal.text}" for refusal in missing),
        *_argument_problems(link, topology, absent),
        *_binding_problems(link, topology, absent, bound),
    ]


def _argument_problems(link: Link, topology: Topology, absent: set[str]) -> list[str]:
    active = [exchange_step(exchange) for exchange in topology.exchanges]
    active += [queue_step(queue) for queue in topology.queues]
    present = [step for step in active if step.label not in absent]
    return _describe(
        refusal
        for refusal in rpc.refusals(link, present)
        if refusal.code != rpc.ACCESS_REFUSED  # a service's user need not be allowed to declare
    )


def _binding_problems(
    link: Link,
    topology: Topology,
    absent: set[str],
    bound: Callable[[], set[BoundTriple]] | None,
) -> list[str]:
    wanted = [
        binding
        for binding in topology.bindings
        if f"exchange {binding.exchange}" not in absent and f"queue {binding.queue}" not in absent
    ]
    if bound is None:
        return _describe(rpc.refusals(link, [binding_step(binding) for binding in wanted]))
    there = bound()
    return [
        f"{_label(binding)}: missing"
        for binding in wanted
        if (binding.exchange, binding.queue, binding.routing_key) not in there
    ]


def _describe(refusals: Iterable[Refusal]) -> list[str]:
    return [f"{refusal.step.label}: {refusal.text}" for refusal in refusals]
