"""What becomes of deliveries: answers, what is kept, what waits, and what changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY as METRICS
from sqlalchemy import text

from hourbridge.common import faults
from hourbridge.common.errors import BusError
from hourbridge.ingestor.webhooks import endpoint
from services.ingestor.tests.waiting import wait_until
from tests.support.webhooks import (
    BODY_BYTES_MAX,
    REALM,
    SECRET,
    WORKSPACE,
    Hub,
    event,
    push_qbo,
    qbo_event,
)

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub]) -> Hub:
    started = start_hub()
    started.connect(
        "toggl",
        "toggl",
        WORKSPACE,
        "http://127.0.0.1:9",
        secrets={"api_token": "t", "webhook_secret": SECRET},
    )
    started.attach("acme", "toggl", "toggl", "tags")
    return started


def deliveries(outcome: str, system: str = "toggl") -> float:
    labels = {"system": system, "outcome": outcome}
    return METRICS.get_sample_value("hourbridge_webhook_deliveries_total", labels) or 0


def last_payload(hub: Hub) -> Any:
    sql = (
        "SELECT * FROM received_payload WHERE channel = 'webhook' ORDER BY payload_id DESC LIMIT 1"
    )
    return hub.rows(sql)[0]


def test_a_delivery_is_kept_as_it_came_and_leads_to_its_record(hub: Hub) -> None:
    body = json.dumps(event(1), indent=3).encode()
    assert hub.push(body).status_code == 200
    kept = last_payload(hub)
    assert bytes(kept.body) == body
    assert (kept.outcome, kept.book, kept.source, kept.event_id) == (
        "accepted",
        "acme",
        "toggl",
        "10",
    )
    raw_ref = hub.value("SELECT raw_ref FROM record WHERE external_id = '1'")
    assert raw_ref == f"payload:{kept.payload_id}#0"


def test_a_replayed_event_has_no_effect_whatever_it_says(hub: Hub) -> None:
    hub.push(event(2))
    before = hub.rows("SELECT revision, sequence, state FROM record WHERE external_id = '2'")
    replay = event(2, event_id=20, description="another text", at="2026-03-09T10:00:01Z")
    assert hub.push(replay).status_code == 200
    assert last_payload(hub).outcome == "duplicate"
    assert (
        hub.rows("SELECT revision, sequence, state FROM record WHERE external_id = '2'") == before
    )


def test_an_older_state_that_comes_late_changes_nothing(hub: Hub) -> None:
    hub.push(event(3, event_id=31, at="2026-03-02T12:00:00Z", description="newer"))
    assert hub.push(event(3, event_id=30, description="older")).status_code == 200
    assert last_payload(hub).outcome == "older"
    assert hub.state(3)["notes"] == "newer"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("acme/nobody", 404, "webhook_unknown"),
        ("nobody/toggl", 404, "webhook_unknown"),
        ("ACME/toggl", 404, "webhook_unknown"),
        ("quickbooks-desktop", 404, "webhook_unknown"),
        ("acme/toggl", 401, "webhook_refused"),
    ],
)
def test_what_nobody_knows_or_verifies_is_kept_and_told(
    hub: Hub, path: str, status: int, code: str
) -> None:
    count = hub.value("SELECT count(*) FROM received_payload")
    answer = hub.push(event(4), path=path, secret="guessed")
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert hub.value("SELECT count(*) FROM received_payload") == count + 1
    assert last_payload(hub).outcome == code.removeprefix("webhook_")
    assert hub.state(4) is None


def test_a_body_too_large_is_refused_and_noted(hub: Hub) -> None:
    before = deliveries("too_large")
    answer = hub.push(b"x" * (BODY_BYTES_MAX + 1))
    assert answer.status_code == 413
    assert last_payload(hub).body is None
    assert deliveries("too_large") == before + 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 40_000, "not_json"),
        (b"9" * 40_000, "not_json"),
        (event(5, duration=10**25), "over_a_year"),
        (event(5, description="\ud800"), "text_invalid"),
        (event(5, description="a\x00b"), "text_invalid"),
        ({"metadata": {"model": "dream"}}, "model_unknown"),
    ],
)
def test_a_well_signed_delivery_is_never_refused(hub: Hub, content: Any, code: str) -> None:
    before = deliveries("unusable")
    assert hub.push(content).status_code == 200
    kept = last_payload(hub)
    assert (kept.outcome, kept.reasons[0]["code"]) == ("rejected", code)
    assert deliveries("unusable") == before + 1
    assert hub.state(5) is None


def test_names_of_500_characters_emoji_and_ids_beyond_64_bits_arrive(hub: Hub) -> None:
    entry_id = 2**80
    assert hub.push(event(entry_id, description="😀" * 500, tags=["é" * 500])).status_code == 200
    assert hub.state(entry_id)["notes"] == "😀" * 500


def test_a_busy_book_delays_no_answer(hub: Hub) -> None:
    with hub.store.transaction() as connection:
        connection.execute(text("SELECT last FROM book_sequence WHERE book='acme' FOR UPDATE"))
        started = time.monotonic()
        assert hub.push(event(6)).status_code == 200
        assert time.monotonic() - started < 3
        assert hub.value("SELECT count(*) FROM webhook_waiting") == 1
        assert hub.value("SELECT outcome FROM received_payload WHERE outcome = 'waiting'")
    wait_until(lambda: hub.state(6) is not None, 20)
    wait_until(lambda: hub.value("SELECT count(*) FROM webhook_waiting") == 0)
    assert hub.value("SELECT count(*) FROM received_payload WHERE outcome = 'waiting'") == 0
    # Sent again by the vendor meanwhile or later: the same event still.
    hub.push(event(6))
    assert last_payload(hub).outcome == "duplicate"


def test_a_broker_that_is_away_delays_no_answer(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        time.sleep(1)
        raise BusError("no connection")

    with monkeypatch.context() as patch:
        patch.setattr(hub.bus, "publish", away)
        started = time.monotonic()
        assert hub.push(event(7)).status_code == 200
        assert time.monotonic() - started < 0.9
    assert hub.state(7) is not None


@pytest.mark.parametrize(
    ("point", "status"),
    [(endpoint.AFTER_KEEPING, 503), (endpoint.BEFORE_COMMIT, 200), (endpoint.AFTER_COMMIT, 200)],
)
def test_what_fails_on_the_way_is_taken_once_all_the_same(
    hub: Hub, point: str, status: int
) -> None:
    entry_id = 100 + sum(map(ord, point))
    faults.arm(f"{point}=raise")
    try:
        assert hub.push(event(entry_id)).status_code == status
    finally:
        faults.arm("")
    if status != 200:
        assert last_payload(hub).outcome == "received", "kept, and the vendor sends it again"
        assert hub.push(event(entry_id)).status_code == 200
    wait_until(lambda: hub.value("SELECT count(*) FROM webhook_waiting") == 0)
    rows = hub.rows("SELECT revision FROM record WHERE external_id = :id", id=str(entry_id))
    assert len(rows) == 1
    sql = "SELECT count(*) FROM received_event WHERE event_id = :id"
    assert hub.value(sql, id=str(entry_id * 10)) == 1


def test_a_rule_keeps_out_what_is_pushed_too(hub: Hub) -> None:
    with hub.store.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO intake_rule VALUES ('acme', 'toggl', 'time_entry', '8', 'block', "
                "NULL, now(), 'ann')"
            )
        )
    assert hub.push(event(8)).status_code == 200
    assert last_payload(hub).outcome == "skipped"
    assert hub.state(8) is None
    assert hub.value("SELECT count(*) FROM skipped_by_rule WHERE external_id = '8'") == 1


def test_a_source_without_a_webhook_secret_asks_to_send_again(hub: Hub) -> None:
    hub.connect("bare", "toggl", "778", "http://127.0.0.1:9", secrets={"api_token": "t"})
    hub.attach("acme", "bare", "bare", "tags")
    answer = hub.push(event(9), path="acme/bare")
    assert (answer.status_code, answer.json()["error"]) == (503, "webhook_unverifiable")
    assert last_payload(hub).outcome == "unverifiable"


def test_a_system_that_pushes_nothing_is_unknown(hub: Hub) -> None:
    hub.connect(
        "tagger",
        "timetagger",
        "ada",
        "http://127.0.0.1:9",
        secrets={"api_token": "t"},
        settings={"staff_id": "ada", "zone": "UTC"},
    )
    hub.attach("acme", "tagger", "tagger")
    assert hub.push(event(9), path="acme/tagger").status_code == 404


@pytest.fixture(scope="module")
def companies(hub: Hub) -> Hub:
    """Two books read one company's lists, a third reads another's."""
    for name, realm in (("main", REALM), ("second", "99")):
        hub.connect(name, "quickbooks_online", realm, "http://127.0.0.1:9")
    with hub.store.transaction() as connection:
        for book, via in (("one", "main"), ("two", "main"), ("three", "second")):
            connection.execute(
                text(
                    "INSERT INTO polled_source (book, source, connection, system, attached_at, "
                    "attached_by) VALUES (:book, 'qbo', :via, 'quickbooks_online', now(), 'ann')"
                ),
                {"book": book, "via": via},
            )
            connection.execute(
                text(
                    "INSERT INTO polled_feed (book, source, feed, record_types, has_history, "
                    "enabled, interval_seconds, interval_seconds_max, interval_now_seconds, "
                    "next_due_at) VALUES (:book, 'qbo', 'customer', '{list_entry}', false, false, "
                    "60, 60, 60, now() + interval '1 day')"
                ),
                {"book": book},
            )
    return hub


def woken(hub: Hub) -> dict[str, str]:
    sql = "SELECT book, wake_reason FROM polled_feed WHERE wake_requested_at IS NOT NULL"
    return {row.book: row.wake_reason for row in hub.rows(f"{sql} AND feed = 'customer'")}


def test_a_hint_wakes_the_feed_of_every_book_that_reads_the_company(companies: Hub) -> None:
    assert push_qbo(companies, [qbo_event("a")]).status_code == 200
    assert woken(companies) == {
        "one": "webhook updated Customer 7",
        "two": "webhook updated Customer 7",
    }
    with companies.store.transaction() as connection:
        connection.execute(text("UPDATE polled_feed SET wake_requested_at = NULL"))
    # The same event, and one that says nothing new, signed by the app's former secret.
    assert push_qbo(companies, [qbo_event("a")], "old").status_code == 200
    assert woken(companies) == {}
    assert last_payload(companies).outcome == "duplicate"
    assert push_qbo(companies, [qbo_event("a"), qbo_event("b", "99")]).status_code == 200
    assert list(woken(companies)) == ["three"]


def test_a_company_that_nobody_reads_is_acknowledged_and_counted(companies: Hub) -> None:
    before = deliveries("unknown", "quickbooks_online")
    assert push_qbo(companies, [qbo_event("c", "123")]).status_code == 200
    assert last_payload(companies).outcome == "unknown"
    assert deliveries("unknown", "quickbooks_online") == before + 1


@pytest.mark.parametrize(
    "body", [b"{}", b"<html>", b"[" * 40_000, b"[1, null]", b"[1e99999999999999999999]"]
)
def test_what_the_app_s_endpoint_can_t_read_is_kept(companies: Hub, body: bytes) -> None:
    assert push_qbo(companies, body).status_code == 200
    kept = last_payload(companies)
    assert kept.outcome == "rejected"
    assert kept.reasons


def test_a_wrong_signature_at_the_app_s_endpoint_is_refused(companies: Hub) -> None:
    before = deliveries("refused", "quickbooks_online")
    assert push_qbo(companies, [qbo_event("d")], "guessed").status_code == 401
    assert deliveries("refused", "quickbooks_online") == before + 1


def test_without_the_app_s_secret_its_sender_is_asked_to_send_again(
    start_hub: Callable[..., Hub],
) -> None:
    bare = start_hub(webhook_quickbooks_online_verifier_tokens=())
    answer = push_qbo(bare, [qbo_event("a")])
    assert (answer.status_code, answer.json()["error"]) == (503, "webhook_unverifiable")


def test_a_flooding_book_s_deliveries_are_answered_and_taken_in_turn(
    start_hub: Callable[..., Hub],
) -> None:
    hub = start_hub(intake_backlog_max=1, intake_book_events_per_second=1)
    hub.connect(
        "toggl", "toggl", WORKSPACE, "http://127.0.0.1:9", secrets={"webhook_secret": SECRET}
    )
    with hub.store.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO polled_source (book, source, connection, system, attached_at, "
                "attached_by) VALUES ('acme', 'toggl', 'toggl', 'toggl', now(), 'ann')"
            )
        )
    # Nobody takes messages out, so these are a backlog in which the gate closes.
    pushed: list[int] = []

    def one_waits() -> bool:
        pushed.append(len(pushed) + 1)
        assert hub.push(event(pushed[-1])).status_code == 200
        return bool(hub.value("SELECT count(*) FROM webhook_waiting"))

    wait_until(one_waits)
    hub.announced()
    wait_until(lambda: all(hub.state(number) is not None for number in pushed))
    wait_until(lambda: hub.value("SELECT count(*) FROM webhook_waiting") == 0)
    assert hub.value("SELECT last FROM book_sequence WHERE book = 'acme'") == len(pushed)
