"""W3C trace context across the bus. Without an SDK configured this costs a header look-up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from opentelemetry import propagate, trace
from opentelemetry.trace import Link, Span, SpanKind

from hourbridge.common.bus.adapter import Delivery, Outgoing

TRACEPARENT = "traceparent"
LINKS_MAX = 128

_tracer = trace.get_tracer("hourbridge.bus")


@contextmanager
def processing(queue: str, deliveries: Sequence[Delivery]) -> Iterator[Span]:
    """Open the span in which a batch is processed.

    It links to the contexts in which the messages were created (a batch has no one parent).
    """
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        yield trace.INVALID_SPAN  # nobody exports: do not even read the headers
        return
    attributes: dict[str, str | int] = {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": queue,
        "messaging.batch.message_count": len(deliveries),
    }
    with _tracer.start_as_current_span(
        f"process {queue}", kind=SpanKind.CONSUMER, links=_links(deliveries), attributes=attributes
    ) as span:
        yield span


def _links(deliveries: Sequence[Delivery]) -> list[Link]:
    links = []
    for delivery in deliveries[:LINKS_MAX]:
        context = propagate.extract(
            {name: str(value) for name, value in delivery.headers.items() if name[:5] == "trace"}
        )
        created_in = trace.get_current_span(context).get_span_context()
        if created_in.is_valid:
            links.append(Link(created_in))
    return links


def carry_on(
    outputs: Sequence[Outgoing], deliveries: Sequence[Delivery], span: Span
) -> list[Outgoing]:
    """Return ``outputs``, each with a ``traceparent``.

    One that has none gets the processing span's; without a span, that of the delivery with the
    same correlation id, or of the only delivery.
    """
    own = ""
    if span.get_span_context().is_valid:
        carrier: dict[str, str] = {}
        propagate.inject(carrier, trace.set_span_in_context(span))
        own = carrier.get(TRACEPARENT, "")
    received = {
        delivery.correlation_id: str(delivery.headers[TRACEPARENT])
        for delivery in deliveries
        if TRACEPARENT in delivery.headers
    }
    if not own and not received:
        return list(outputs)
    only = next(iter(received.values())) if len(deliveries) == 1 and received else ""
    return [_with_trace(output, own, received, only) for output in outputs]


def _with_trace(output: Outgoing, own: str, received: dict[str | None, str], only: str) -> Outgoing:
    if TRACEPARENT in output.headers:
        return output
    parent = own or received.get(output.correlation_id or "", only)
    if not parent:
        return output
    return replace(output, headers={**output.headers, TRACEPARENT: parent})
