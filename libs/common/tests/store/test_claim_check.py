"""Large messages by reference: what is stored, what travels, what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.errors import Disposition, MessageInvalid
from hourbridge.common.ids import content_hash
from hourbridge.common.messages.examples import Style, example
from hourbridge.common.messages.registry import (
    BULK_EXCHANGE,
    DOCUMENT_CHANGED,
    EVENTS_EXCHANGE,
    INTAKE_EXCHANGE,
    REGISTRY,
    REJECTED_EXCHANGE,
)
from hourbridge.common.store import claim_check, objects
from hourbridge.common.store.claim_check import INLINE_BYTES_MAX, ReferencedDataMissing
from hourbridge.common.store.engine import Store
from hourbridge.common.store.provision import provision

pytestmark = pytest.mark.database


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    provision(database_url)
    store = Store(database_url, "mapper")
    with store.transaction() as opened:
        yield opened
    store.close()


def message(body: bytes, exchange: str = EVENTS_EXCHANGE) -> Outgoing:
    headers = {"book": "acme", "traceparent": "00-1-2-03"}
    return Outgoing(exchange, "document.changed.v1", body, "id-1", DOCUMENT_CHANGED, headers)


def document_body(memo: str = "") -> bytes:
    """Return a valid event; ``memo`` makes it large."""
    document: dict[str, Any] = example(REGISTRY.get(DOCUMENT_CHANGED), Style.FULL)
    document["data"]["document"]["memo"] = memo
    event = REGISTRY.get(DOCUMENT_CHANGED).event.model_validate(document)
    return bytes(event.to_json())


def large_body() -> bytes:
    return document_body('é "quoted", "data": \\ \u2028' * 20_000)


def stored(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM objects.object").scalar_one())


def test_small_messages_travel_as_they_are(connection: Connection) -> None:
    messages = [message(document_body()), message(b"x" * INLINE_BYTES_MAX)]
    assert claim_check.check_in(connection, messages) is messages
    assert stored(connection) == 0


@pytest.mark.parametrize("exchange", [EVENTS_EXCHANGE, BULK_EXCHANGE])
def test_a_large_message_keeps_its_envelope_and_comes_back_byte_for_byte(
    connection: Connection, exchange: str
) -> None:
    body = large_body()
    small, large = claim_check.check_in(
        connection, [message(document_body()), message(body, exchange)]
    )
    assert small.body == document_body()
    assert len(large.body) < 2000
    told, original = json.loads(large.body), json.loads(body)
    data = original.pop("data")
    reference = told.pop("dataref")
    assert told == original
    assert json.loads(objects.get(connection, reference)) == data
    assert reference == f"sha256:{content_hash(objects.get(connection, reference))}"
    assert (large.message_id, large.type, large.exchange) == ("id-1", DOCUMENT_CHANGED, exchange)
    assert large.headers == {"book": "acme", "traceparent": "00-1-2-03"}
    assert claim_check.is_claim(large.body)
    assert claim_check.redeem(connection, large.body) == body


def test_the_same_state_again_is_the_same_message_and_one_object(connection: Connection) -> None:
    first = claim_check.check_in(connection, [message(large_body())])
    again = claim_check.check_in(connection, [message(large_body()), *first])
    assert [each.body for each in again] == [first[0].body] * 2
    assert stored(connection) == 1


@pytest.mark.parametrize(
    ("body", "exchange"),
    [
        (large_body(), REJECTED_EXCHANGE),
        (large_body(), INTAKE_EXCHANGE),
        (large_body(), "hourbridge.retry.5s"),
        (b'{"data":' + b"[" * INLINE_BYTES_MAX, EVENTS_EXCHANGE),
        (b'{"id":"1","data":{},"more":"' + b"x" * INLINE_BYTES_MAX + b'"}', EVENTS_EXCHANGE),
    ],
    ids=["answers", "intake", "rungs", "not an event", "data not last"],
)
def test_what_is_no_event_between_services_stays_whole(
    connection: Connection, body: bytes, exchange: str
) -> None:
    (travelling,) = claim_check.check_in(connection, [message(body, exchange)])
    assert travelling.body == body
    assert stored(connection) == 0


def test_the_schemas_allow_either_data_or_its_reference() -> None:
    from hourbridge.common.messages.schemas import Role, schema_of

    between = schema_of(REGISTRY.get(DOCUMENT_CHANGED), Role.READER)
    assert "data" not in between["required"]
    assert between["oneOf"] == [{"required": ["data"]}, {"required": ["dataref"]}]
    from_outside = schema_of(REGISTRY.get("hourbridge.expense.reported.v1"), Role.READER)
    assert "data" in from_outside["required"]
    assert "dataref" not in from_outside["properties"]


def test_an_object_that_is_missing_is_worth_a_retry_and_named(connection: Connection) -> None:
    reference = "sha256:" + "0" * 64
    with pytest.raises(ReferencedDataMissing) as caught:
        claim_check.redeem(connection, json.dumps({"id": "1", "dataref": reference}).encode())
    assert caught.value.disposition is Disposition.RETRY
    assert reference in str(caught.value)


@pytest.mark.parametrize("reference", [None, 7, "", "sha256:12", "https://example.com/x"])
def test_a_reference_that_can_be_none_is_refused_by_field(
    connection: Connection, reference: Any
) -> None:
    with pytest.raises(MessageInvalid) as caught:
        claim_check.redeem(connection, json.dumps({"dataref": reference}).encode())
    assert caught.value.reasons[0]["field"] == "dataref"
    assert caught.value.reasons[0]["code"] == "reference_invalid"


def test_an_object_with_other_content_is_refused(connection: Connection) -> None:
    digest = "1" * 64
    connection.exec_driver_sql(
        "INSERT INTO objects.object (sha256, content_type, content) VALUES (%s, 'x', 'other')",
        (digest,),
    )
    with pytest.raises(MessageInvalid) as caught:
        claim_check.redeem(connection, f'{{"dataref":"sha256:{digest}"}}'.encode())
    assert caught.value.reasons[0]["code"] == "content_differs"


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"extra":{"dataref":"sha256:1"}}}',
        b'{"dataref":"sha256:1","data":{}}',
        b'["dataref"]',
        b'{"dataref"',
        b"[" * 100_000 + b'"dataref"',
    ],
)
def test_bodies_that_only_look_like_a_reference_come_back_as_they_are(
    connection: Connection, body: bytes
) -> None:
    assert claim_check.is_claim(body)
    assert claim_check.redeem(connection, body) == body
