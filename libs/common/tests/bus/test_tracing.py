"""Trace context across the bus, with and without an SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hourbridge.common.bus import tracing
from hourbridge.common.bus.adapter import Delivery, Outgoing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"


def delivery(traceparent: str | None, correlation_id: str = "c") -> Delivery:
    headers = {"traceparent": traceparent} if traceparent else {}
    return Delivery("q", 1, b"", "", "q", "m", "t", headers, correlation_id, 0)


def output(correlation_id: str | None = None, **headers: str | int) -> Outgoing:
    return Outgoing("e", "k", b"", "o", "t", headers, correlation_id)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(made))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield made
    provider.shutdown()


def test_without_an_sdk_a_single_message_hands_its_context_on() -> None:
    deliveries = [delivery(PARENT)]
    with tracing.processing("q", deliveries) as span:
        (made,) = tracing.carry_on([output()], deliveries, span)
    assert made.headers["traceparent"] == PARENT


def test_without_an_sdk_a_batch_matches_by_correlation() -> None:
    deliveries = [delivery(PARENT, "c1"), delivery(OTHER, "c2"), delivery(None, "c3")]
    with tracing.processing("q", deliveries) as span:
        made = tracing.carry_on([output("c2"), output("c1"), output("?")], deliveries, span)
    assert [each.headers.get("traceparent") for each in made] == [OTHER, PARENT, None]


def test_a_context_that_the_handler_set_stays() -> None:
    with tracing.processing("q", [delivery(PARENT)]) as span:
        (made,) = tracing.carry_on([output(traceparent=OTHER)], [delivery(PARENT)], span)
    assert made.headers["traceparent"] == OTHER


def test_the_process_span_links_to_where_messages_were_created(
    exporter: InMemorySpanExporter,
) -> None:
    deliveries = [delivery(PARENT), delivery(OTHER), delivery(None)]
    with tracing.processing("mapper.work.v1", deliveries) as span:
        (made,) = tracing.carry_on([output()], deliveries, span)
    (finished,) = exporter.get_finished_spans()
    assert finished.name == "process mapper.work.v1"
    assert finished.kind is trace.SpanKind.CONSUMER
    linked = [f"{link.context.trace_id:032x}" for link in finished.links]
    assert linked == [PARENT.split("-")[1], OTHER.split("-")[1]]
    assert finished.attributes is not None
    assert finished.attributes["messaging.batch.message_count"] == 3
    assert f"{finished.context.trace_id:032x}" in str(made.headers["traceparent"])
