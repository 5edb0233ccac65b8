"""POST /v1/events: upstream systems report over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hourbridge.common.errors import BusError
from hourbridge.common.messages.registry import REGISTRY
from hourbridge.ingestor.cloudevents import BATCH, STRUCTURED

pytestmark = pytest.mark.database


def event(event_id: str = "ev-1", *, data: dict[str, Any] | None = None, **changes: Any) -> Any:
    document = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/toggl/workspace/7",
        "type": "hourbridge.time_entry.reported.v1",
        "time": "2026-03-02T10:00:00Z",
        "data": {
            "external_id": "te-1",
            "staff_id": "ada",
            "work_date": "2026-03-02",
            "input": {"seconds": 3600},
            **(data or {}),
        },
    }
    return document | changes


def post(api: Any, content: Any, media_type: str = BATCH, **headers: str) -> Any:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {"content-type": media_type, "x-api-key": api.key} | headers
    return api.http.post("/v1/events", content=body, headers=sent)


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 202, answer.text
    return [each["status"] for each in answer.json()["events"]]


def test_an_event_is_accepted_announced_and_kept(api: Any) -> None:
    answer = post(api, event(), STRUCTURED)
    assert statuses(answer) == ["accepted"]
    told = api.received()
    assert len(told) == 1
    decoded = REGISTRY.decode(told[0]["type"], json.dumps(told[0]).encode())
    assert (decoded.book, decoded.data.source, decoded.data.sequence) == ("acme", "toggl", 1)
    assert decoded.data.record_id == answer.json()["events"][0]["record_id"]
    assert decoded.correlationid == "ev-1"
    reference = decoded.data.raw_ref.partition("#")[0]
    kept = api.http.get(
        f"/v1/payloads/{reference}", headers={"authorization": "Bearer admin-token"}
    )
    assert json.loads(kept.content)["id"] == "ev-1"


def test_binary_mode_carries_attributes_in_headers(api: Any) -> None:
    document = event()
    headers = {
        f"ce-{name}": document[name] for name in ("specversion", "id", "source", "type", "time")
    }
    assert statuses(post(api, document["data"], "application/json", **headers)) == ["accepted"]


def test_a_batch_gets_a_status_per_event_with_field_exact_reasons(api: Any) -> None:
    batch = [
        event("1"),
        event("1"),
        event("2"),
        event("3", time="2026-03-01T00:00:00Z", data={"notes": "late"}),
        event("4", data={"notes": "clash"}),
        event(
            "5",
            data={
                "external_id": "te-2",
                "start_at": "2026-03-02T12:00:00Z",
                "end_at": "2026-03-02T11:00:00Z",
            },
        ),
        event("6", data={"input": {"seconds": -5}, "bill_rate": {"amount": 3, "currency": "XAU"}}),
        event("7", book="other"),
        event("8", type="hourbridge.dream.reported.v1"),
        "nonsense",
    ]
    answer = post(api, batch)
    assert statuses(answer) == [
        "accepted",
        "duplicate",
        "unchanged",
        "older",
        "conflict",
        "rejected",
        "rejected",
        "rejected",
        "rejected",
        "rejected",
    ]
    reasons = {
        each["id"]: [(reason["field"], reason["code"]) for reason in each.get("reasons", ())]
        for each in answer.json()["events"]
    }
    assert reasons["5"] == [("data", "value_error")]
    assert [field for field, _ in reasons["6"]] == [
        "data.input.seconds",
        "data.bill_rate.amount",
        "data.bill_rate.currency",
    ]
    assert reasons["7"] == [("book", "book_mismatch")]
    assert reasons["8"] == [("type", "type_unknown")]
    assert reasons[None] == [("(event)", "not_an_object")]
    assert len(api.received()) == 1


def test_a_reference_instead_of_data_is_refused_by_field(api: Any) -> None:
    by_reference = event("1", dataref="sha256:" + "0" * 64)
    del by_reference["data"]
    answer = post(api, by_reference, STRUCTURED)
    assert statuses(answer) == ["rejected"]
    reasons = answer.json()["events"][0]["reasons"]
    assert (reasons[0]["field"], reasons[0]["code"]) == ("dataref", "reference_not_accepted")


def test_a_duplicate_names_the_record_it_led_to(api: Any) -> None:
    first = post(api, [event("1")]).json()["events"][0]
    again = post(api, [event("1", data={"notes": "ignored: same source and id"})]).json()["events"][
        0
    ]
    assert again["status"] == "duplicate"
    assert again["record_id"] == first["record_id"]
    api.received()
    assert post(api, [event("1")]).status_code == 202
    assert api.received() == []


def test_a_refused_event_can_be_sent_again_corrected(api: Any) -> None:
    assert statuses(post(api, [event("1", data={"staff_id": ""})])) == ["rejected"]
    assert statuses(post(api, [event("1")])) == ["accepted"]


def test_a_repetition_within_a_batch_hears_what_became_of_the_one_that_counts(api: Any) -> None:
    refused_first = [event("1", specversion=None), event("1"), event("1")]
    told = post(api, refused_first).json()["events"]
    assert [each["status"] for each in told] == ["rejected", "accepted", "duplicate"]
    assert told[2]["record_id"] == told[1]["record_id"]
    never_taken = post(api, [event("2", time=None), event("2", data={"external_id": "te-2"})])
    assert statuses(never_taken) == ["rejected", "rejected"]
    assert statuses(post(api, [event("2", data={"external_id": "te-2"})])) == ["accepted"]


def test_an_id_that_no_json_can_hold_is_refused_in_words(api: Any) -> None:
    told = post(api, b'{"specversion":"1.0","id":"\\ud800"}', STRUCTURED)
    assert statuses(told) == ["rejected"]
    assert "text_invalid" in {reason["code"] for reason in told.json()["events"][0]["reasons"]}


def test_order_is_never_that_of_arrival(api: Any) -> None:
    answer = post(api, [event("1", time=None)])
    assert statuses(answer) == ["rejected"]
    assert answer.json()["events"][0]["reasons"][0]["code"] == "order_missing"
    assert statuses(post(api, [event("1", time=None, data={"external_version": "3"})])) == [
        "accepted"
    ]


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", STRUCTURED, 400),
        (b"[]", STRUCTURED, 400),
        (b"{}", BATCH, 400),
        (b"\xff\xfe", STRUCTURED, 400),
        (b'{"a": NaN}', STRUCTURED, 400),
        (b"[" * 20_000, STRUCTURED, 400),
        (b"<xml/>", "text/xml", 415),
        (b"{}", "application/json", 415),
        (b"x" * 20_001, STRUCTURED, 413),
        (json.dumps([{}] * 21).encode(), BATCH, 413),
    ],
)
def test_what_can_t_be_used_as_a_whole_is_refused_and_kept(
    api: Any, body: bytes, media_type: str, status: int
) -> None:
    answer = post(api, body, media_type)
    assert answer.status_code == status
    kept = api.rows("SELECT outcome, reasons->0->>'code', book, source FROM received_payload")
    assert kept == [("unreadable", answer.json()["error"], "acme", "toggl")]


@pytest.mark.parametrize("key", ["", "hbk_x_y", "hbk_", "nonsense", "ü".encode().decode("latin-1")])
def test_an_unknown_key_is_401(api: Any, key: str) -> None:
    answer = api.http.post(
        "/v1/events", content=b"{}", headers={b"x-api-key": key.encode("latin-1")}
    )
    assert answer.status_code == 401


def test_a_key_may_come_as_a_bearer_token_and_be_revoked(api: Any) -> None:
    headers = {"content-type": STRUCTURED, "authorization": f"Bearer {api.key}"}
    body = json.dumps(event()).encode()
    assert api.http.post("/v1/events", content=body, headers=headers).status_code == 202
    key_id = api.key.split("_")[1]
    admin = {"authorization": "Bearer admin-token"}
    gone = api.http.delete(f"/v1/books/acme/sources/toggl/keys/{key_id}", headers=admin)
    assert gone.status_code == 200
    assert api.http.post("/v1/events", content=body, headers=headers).status_code == 401
    assert api.rows("SELECT action FROM audit ORDER BY id") == [
        ("api_key.issued",),
        ("api_key.revoked",),
    ]


def test_events_are_taken_while_the_broker_is_away(api: Any, monkeypatch: Any) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise BusError("no connection")

    with monkeypatch.context() as patch:
        patch.setattr(api.bus, "publish", away)
        assert statuses(post(api, [event("1")])) == ["accepted"]
    assert api.received() == []
    assert statuses(post(api, [event("2", data={"external_id": "te-2"})])) == ["accepted"]
    assert [told["data"]["sequence"] for told in api.received()] == [1, 2]


def test_text_that_the_database_can_t_hold_is_refused(api: Any) -> None:
    batch = [event("1", data={"notes": "a\x00b"}), event("2", data={"notes": "\ud800"})]
    answer = post(api, batch)
    assert statuses(answer) == ["rejected", "rejected"]
    assert {each["reasons"][0]["code"] for each in answer.json()["events"]} == {"text_invalid"}


def test_long_ids_travel(api: Any) -> None:
    long = [event("ü" * 255), event("2", correlationid="ü" * 2000, data={"external_id": "te-2"})]
    assert statuses(post(api, long)) == ["accepted", "accepted"]
    assert len(api.received()) == 2
