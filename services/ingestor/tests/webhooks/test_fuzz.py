"""Nobody knows what will be sent: whatever it is, it is kept or refused with a precise reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.webhooks import ADMIN, SECRET, Hub, event, push_qbo, qbo_event

pytestmark = pytest.mark.database

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**64, -(2**70), 10**400, "", "\x00", "\ud800", "😀" * 500, "n" * 5000])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
NAMES = st.sampled_from(
    ["specversion", "id", "source", "type", "time", "data", "book", "correlationid", "dataref"]
    + ["external_id", "staff_id", "work_date", "input", "seconds", "start_at", "zone", "tags"]
    + ["event_id", "metadata", "payload", "model", "action", "at", "duration", "eventNotifications"]
    + [
        "realmId",
        "dataChangeEvent",
        "entities",
        "name",
        "operation",
        "datacontenttype",
        "external_version",
    ]
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)
CHANGES = st.dictionaries(NAMES, JSON, max_size=4)
BODIES = (
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [b"[" * 30_000, b"{}", b"[]", b"[[]]", b"<html>", b"9" * 9000, b"[1e99999999999999999999]"]
        + [b'{"a":' * 9000, b"\xef\xbb\xbf{}", b"nul", b'"', b'{"id": NaN}', b"\xff", b""]
    )
)
_LATIN = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f")
HEADER_TEXT = st.text(_LATIN, max_size=30).map(str.strip)
MEDIA_TYPES = (
    st.sampled_from(
        [
            "application/cloudevents+json",
            "application/cloudevents-batch+json",
            "application/json",
            "application/cloudevents+json; charset=utf-16",
            "APPLICATION/CLOUDEVENTS+JSON",
            "text/html",
            "",
        ]
    )
    | HEADER_TEXT
)
FUZZ = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
REFUSALS = {400, 401, 404, 411, 413, 415, 429}


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub]) -> Hub:
    started = start_hub()
    started.connect(
        "toggl",
        "toggl",
        "777",
        "http://127.0.0.1:9",
        secrets={"api_token": "t", "webhook_secret": SECRET},
    )
    started.attach("acme", "toggl", "toggl", "tags")
    return started


@pytest.fixture(scope="module")
def key(hub: Hub) -> str:
    return str(hub.admin("/v1/books/acme/sources/events/keys")["key"])


def kept(hub: Hub) -> int:
    return int(hub.value("SELECT count(*) FROM received_payload"))


def encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def check(hub: Hub, answer: httpx.Response, before: int) -> None:
    """Every delivery is kept; the answer is a success or a refusal that says why."""
    assert answer.status_code in {200, 202} | REFUSALS, answer.text
    if answer.status_code not in (200, 202):
        told = answer.json()
        assert told["error"] and told["what"], told
    if answer.status_code != 401 or "webhooks" in str(answer.url):
        assert kept(hub) == before + 1


EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "ev-1",
    "source": "/tracker",
    "type": "hourbridge.time_entry.reported.v1",
    "time": "2026-03-02T10:00:00Z",
    "data": {
        "external_id": "te-1",
        "staff_id": "ada",
        "work_date": "2026-03-02",
        "input": {"seconds": 3600},
    },
}


@FUZZ
@example(b'{"specversion":"1.0","id":"\\ud800"}', "application/cloudevents+json")
@example(
    b'{"type":"hourbridge.client.reported.v1","data":{"external_parent_ids":{"\\ud800":1}}}',
    "application/cloudevents+json",
)
@given(BODIES, MEDIA_TYPES)
def test_any_body_and_media_type_to_events(
    hub: Hub, key: str, body: bytes, media_type: str
) -> None:
    before = kept(hub)
    headers = encoded({"x-api-key": key, "content-type": media_type})
    check(hub, hub.http.post("/v1/events", content=body, headers=headers), before)


@FUZZ
@given(st.lists(st.tuples(CHANGES, CHANGES), min_size=1, max_size=4))
def test_events_with_any_values(hub: Hub, key: str, changes: list[Any]) -> None:
    batch = [{**EVENT, "data": {**EVENT["data"], **inner}, **outer} for outer, inner in changes]
    before = kept(hub)
    headers = {"x-api-key": key, "content-type": "application/cloudevents-batch+json"}
    answer = hub.http.post("/v1/events", content=json.dumps(batch), headers=headers)
    check(hub, answer, before)
    assert answer.status_code == 202
    told = answer.json()["events"]
    assert len(told) == len(batch)
    for each in told:
        if each["status"] == "rejected":
            assert all(reason["field"] and reason["code"] for reason in each["reasons"])
        else:
            assert each["record_id"]


@FUZZ
@given(
    st.dictionaries(
        st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-time", "ce-book", "ce-specversion"])
        | st.sampled_from(["traceparent", "x-api-key", "authorization", "content-encoding"]),
        HEADER_TEXT,
    ),
    BODIES,
)
def test_any_headers_to_events(hub: Hub, key: str, headers: dict[str, str], body: bytes) -> None:
    before = kept(hub)
    sent = {"x-api-key": key, "content-type": "application/json"} | headers
    answer = hub.http.post("/v1/events", content=body, headers=encoded(sent))
    check(hub, answer, before)


@FUZZ
@given(
    st.sampled_from(["acme/toggl", "acme/other", "quickbooks-online", "%00/%ff", "a/b", "é/ü"]),
    BODIES,
    st.dictionaries(
        st.sampled_from(["x-webhook-signature-256", "intuit-signature", "content-type", "cookie"]),
        HEADER_TEXT,
    ),
)
def test_strangers_at_the_webhooks(
    hub: Hub, path: str, body: bytes, headers: dict[str, str]
) -> None:
    records = hub.value("SELECT count(*) FROM record")
    before = kept(hub)
    answer = hub.http.post(f"/v1/webhooks/{path}", content=body, headers=encoded(headers))
    assert answer.status_code in (401, 404)
    check(hub, answer, before)
    assert hub.value("SELECT count(*) FROM record") == records


@FUZZ
@given(BODIES)
def test_well_signed_bodies_are_never_refused(hub: Hub, body: bytes) -> None:
    before = kept(hub)
    assert hub.push(body).status_code == 200
    assert push_qbo(hub, body).status_code == 200
    assert kept(hub) == before + 2
    assert hub.value("SELECT count(*) FROM received_payload WHERE outcome = 'received'") == 0


@FUZZ
@given(st.integers(1, 5), CHANGES, CHANGES)
def test_well_signed_events_with_any_values(
    hub: Hub, entry_id: int, outer: dict[str, Any], inner: dict[str, Any]
) -> None:
    said = event(entry_id)
    content = {**said, "payload": {**said["payload"], **inner}, **outer}
    assert hub.push(content).status_code == 200
    assert push_qbo(hub, [{**qbo_event("e"), **outer}]).status_code == 200
    assert hub.value("SELECT count(*) FROM received_payload WHERE outcome = 'received'") == 0


def test_nothing_of_all_that_waits_or_failed(hub: Hub) -> None:
    assert hub.value("SELECT count(*) FROM webhook_waiting WHERE attempts > 0") == 0
    assert hub.value("SELECT count(*) FROM received_payload WHERE outcome = 'failed'") == 0
    assert hub.http.get("/readyz").status_code == 200
    assert hub.http.get("/v1/feeds", headers=ADMIN).status_code == 200
