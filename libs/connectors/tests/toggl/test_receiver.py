"""What Toggl pushes: verified before it is read, and never refused once it is verified."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.errors import ConfigurationInvalid, WebhookRefused
from hourbridge.common.messages.records import Client, Project, StaffMember, TimeEntry
from hourbridge.connectors.toggl.settings import TogglSettings
from hourbridge.connectors.toggl.webhooks import SIGNATURE_HEADER, TogglReceiver
from hourbridge.connectors.webhooks import Delivery, Pushed

SECRET, FORMER = "of-this-source", "of-last-year"
RECEIVER = TogglReceiver(
    [SECRET, FORMER], TogglSettings(zone="Europe/Vienna", zones={"9": "Asia/Tokyo"}), "777"
)
ENTRY = {
    "id": 2**70,
    "workspace_id": 777,
    "user_id": 8,
    "project_id": 5,
    "task_id": None,
    "description": "Café 😀",
    "billable": True,
    "start": "2026-03-02T23:30:00Z",
    "stop": "2026-03-03T00:30:00+00:00",
    "duration": 3600,
    "tags": ["site", "late"],
    "at": "2026-03-03T00:30:05+00:00",
    "server_deleted_at": None,
}

OF_TAG = {"model": "tag", "action": "created"}
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
NAMES = st.sampled_from(
    ["payload", "metadata", "model", "action", "id", "at", "event_id", "validation_code", "tags"]
)
DOCUMENTS = st.recursive(
    VALUES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=4)
    ),
    max_leaves=8,
)


def event(payload: Any = None, *, action: str = "updated", model: str = "time_entry", **more: Any):  # type: ignore[no-untyped-def]  # a test's JSON
    return {
        "event_id": 2**66 + 1,
        "created_at": "2026-03-03T00:30:05.250Z",
        "metadata": {"action": action, "model": model, "workspace_id": "777"},
        "payload": ENTRY if payload is None else payload,
    } | more


def encoded(*payload: Any, **more: Any) -> bytes:
    return json.dumps(event(*payload, **more)).encode()


def changed(changes: dict[str, Any], **more: Any) -> bytes:
    return encoded({**ENTRY, **changes}, **more)


def signed(content: Any, secret: str = SECRET) -> Delivery:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return RECEIVER.receive({SIGNATURE_HEADER: f"sha256={digest}"}, body)


def only(delivery: Delivery) -> Pushed:
    assert len(delivery.events) == 1
    return delivery.events[0]


def code_of(delivery: Delivery) -> str:
    stated = only(delivery).statement
    assert stated is not None and stated.record is None
    return stated.reasons[0].code


def test_an_entry_becomes_a_record() -> None:
    pushed = only(signed(event()))
    assert pushed.event_id == str(2**66 + 1)
    assert pushed.statement is not None
    entry = pushed.statement.record
    assert isinstance(entry, TimeEntry)
    assert entry.external_id == str(2**70), "ids beyond 64 bits stay whole"
    assert (entry.staff_id, entry.project_id, entry.task_id) == ("8", "5", None)
    assert str(entry.work_date) == "2026-03-03", "in Vienna it is past midnight"
    assert (entry.input.seconds, entry.input.decimal_text) == (3600, "3600")
    assert (entry.billable_state, entry.tags) == ("billable", ("site", "late"))
    assert entry.notes == "Café 😀"
    assert pushed.statement.order_key == 1_772_497_805_000_250
    elsewhere = only(signed(event({**ENTRY, "user_id": 9}))).statement
    assert elsewhere is not None and isinstance(elsewhere.record, TimeEntry)
    assert elsewhere.record.zone is not None
    assert elsewhere.record.zone.iana == "Asia/Tokyo"


def test_older_field_names_say_the_same() -> None:
    old = {
        name: value for name, value in ENTRY.items() if name not in ("user_id", "project_id")
    } | {"uid": 8, "pid": 5, "tid": 0, "wid": 777}
    first, second = only(signed(event())).statement, only(signed(event(old))).statement
    assert first is not None and second is not None
    assert first.record == second.record


def test_a_running_timer_has_worked_nothing_yet() -> None:
    for duration in (-1, -1772497805):
        pushed = only(signed(event({**ENTRY, "duration": duration, "stop": None})))
        assert pushed.statement is not None
        entry = pushed.statement.record
        assert isinstance(entry, TimeEntry)
        assert (entry.running, entry.input.seconds, entry.end_at) == (True, 0, None)


@pytest.mark.parametrize("payload", [ENTRY, {"id": 2**70}, {"id": 2**70, "duration": "?"}])
def test_a_tombstone_needs_nothing_but_the_id(payload: Any) -> None:
    pushed = only(signed(event(payload, action="deleted")))
    assert pushed.statement is not None
    entry = pushed.statement.record
    assert isinstance(entry, TimeEntry)
    assert entry.deleted is not None and entry.deleted.how == "webhook"
    assert pushed.statement.order_key == 1_772_497_805_999_999, "later than all of its second"


def test_master_data_becomes_records() -> None:
    client = only(signed(event({"id": 1, "name": "n" * 500, "at": ENTRY["at"]}, model="client")))
    assert client.statement is not None and isinstance(client.statement.record, Client)
    assert client.statement.record.name == "n" * 500
    project = only(
        signed(
            event(
                {"id": 5, "name": "Site", "client_id": 1, "rate": 120.5, "currency": "eur"},
                model="project",
            )
        )
    )
    assert project.statement is not None and isinstance(project.statement.record, Project)
    assert str(project.statement.record.flat_rate) == "120.5"
    assert project.statement.record.currency == "EUR"
    person = only(
        signed(
            event({"id": 4, "user_id": 8, "name": "Ada", "inactive": True}, model="workspace_user")
        )
    )
    assert person.statement is not None and isinstance(person.statement.record, StaffMember)
    assert person.statement.record.external_id == "8", "entries name the person, not membership"
    assert not person.statement.record.is_active


def test_what_is_no_record_of_ours_wakes_a_feed_or_nothing() -> None:
    hinted = only(signed(event({"id": 3}, model="project_user")))
    assert hinted.statement is None
    assert hinted.hint is not None and hinted.hint.feed == "projects"
    ignored = only(signed(event({}, model="workspace")))
    assert (ignored.statement, ignored.hint) == (None, None)


def test_a_ping_is_echoed_once_it_is_verified() -> None:
    ping = {"payload": "ping", "validation_code": 'c"1\u00e4', "event_id": 0}
    delivery = signed(ping)
    assert delivery.events == ()
    assert json.loads(delivery.answer) == {"validation_code": 'c"1\u00e4'}
    with pytest.raises(WebhookRefused):
        signed(ping, secret="guessed")


@pytest.mark.parametrize("secret", [SECRET, FORMER])
def test_two_secrets_count_while_one_is_being_replaced(secret: str) -> None:
    assert only(signed(event(), secret)).statement is not None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest(),
        "ü" * 64,
        hmac.new(SECRET.encode(), b"{} ", hashlib.sha256).hexdigest(),
        hmac.new(b"", b"{}", hashlib.sha256).hexdigest(),
    ],
)
def test_any_other_signature_is_refused_before_anything_is_read(header: str | None) -> None:
    headers = {} if header is None else {SIGNATURE_HEADER: header}
    with pytest.raises(WebhookRefused):
        RECEIVER.receive(headers, b"{}")


def test_a_signature_in_upper_case_or_without_prefix_is_the_same() -> None:
    digest = hmac.new(SECRET.encode(), b"{}", hashlib.sha256).hexdigest()
    for header in (digest.upper(), f"SHA256={digest}", f" sha256={digest} "):
        assert len(RECEIVER.receive({SIGNATURE_HEADER: header}, b"{}").events) == 1


@pytest.mark.parametrize("secrets", [[], [""], ["good", ""]])
def test_without_a_secret_nothing_opens(secrets: list[str]) -> None:
    with pytest.raises(ConfigurationInvalid, match="webhook secret"):
        TogglReceiver(secrets, TogglSettings(), "777")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>502</html>", "not_json"),
        (b'{"payload": {"id": 1', "not_json"),
        (b"\xff\xfe{}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not_json"),
        (b'{"a": 1e99999999999999999999}', "not_json"),
        (b'{"a": Infinity}', "not_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "model_unknown"),
        (encoded(model="dream"), "model_unknown"),
        (encoded(action="imagined"), "action_unknown"),
        (encoded(metadata=7), "model_unknown"),
        (encoded([1]), "not_an_object"),
        (changed({"id": None}), "missing"),
        (changed({"id": "i" * 300}), "id_invalid"),
        (changed({"id": True}), "id_invalid"),
        (changed({"duration": 10**30}), "over_a_year"),
        (changed({"duration": "1h"}), "whole_number_expected"),
        (changed({"start": "yesterday"}), "instant_invalid"),
        (
            changed({"start": "0001-01-01T00:00:00+23:59"}),
            "instant_invalid",
        ),
        (changed({"description": "a\x00b"}), "text_invalid"),
        (changed({"description": "\ud800"}), "text_invalid"),
        (changed({"user_id": None}), "string_type"),
        (
            encoded({"id": 1, "name": "x", "rate": 1e300}, model="project"),
            "number_expected",
        ),
        (
            json.dumps(
                event(metadata={"model": "tag", "action": "created", "workspace_id": 1})
            ).encode(),
            "account_mismatch",
        ),
        (
            changed({"at": None}, created_at=None),
            "order_missing",
        ),
    ],
)
def test_what_is_well_signed_but_unusable_is_kept_with_its_reason(body: bytes, code: str) -> None:
    delivery = signed(body)
    assert code_of(delivery) == code
    stated = only(delivery).statement
    assert stated is not None and stated.raw == body


def test_an_event_without_an_id_is_known_by_its_body() -> None:
    body = json.dumps({**event(), "event_id": None}).encode()
    assert only(signed(body)).event_id == only(signed(body)).event_id
    assert only(signed(body)).event_id != only(signed(body + b" ")).event_id


@given(st.binary(max_size=200) | DOCUMENTS.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_well_signed_is_understood_or_kept(body: bytes) -> None:
    for pushed in signed(body).events:
        assert 0 < len(pushed.event_id) <= 255
        if pushed.statement is not None:
            assert (pushed.statement.record is None) == bool(pushed.statement.reasons)


@given(
    st.dictionaries(st.sampled_from(sorted(ENTRY)), VALUES | st.lists(st.integers(), max_size=2)),
    st.sampled_from(["time_entry", "client", "project", "task", "tag", "workspace_user"]),
    st.sampled_from(["created", "updated", "deleted"]),
)
def test_any_values_in_a_payload_are_a_record_or_reasons(
    changes: dict[str, Any], model: str, action: str
) -> None:
    pushed = only(signed(event({**ENTRY, **changes}, model=model, action=action)))
    assert pushed.statement is not None
    assert (pushed.statement.record is None) == bool(pushed.statement.reasons)
