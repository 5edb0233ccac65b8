"""Toggl's shape, from the tracker's server over real HTTP into accepted records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hourbridge.sandbox.toggl import TogglServer
from hourbridge.sandbox.toggl.sender import Manner
from services.ingestor.tests.waiting import wait_until
from tests.support.webhooks import Hub, open_workspace

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub]) -> Hub:
    return start_hub()


def entries(hub: Hub, book: str) -> dict[str, Any]:
    sql = "SELECT external_id, state, deleted FROM record WHERE book = :book AND record_type = :t"
    rows = hub.rows(sql, book=book, t="time_entry")
    return {row.external_id: (row.state.get("notes"), row.deleted) for row in rows}


def test_created_changed_and_deleted_entries_arrive_once_each(hub: Hub, toggl: TogglServer) -> None:
    workspace = open_workspace(toggl, hub, "plain", "tags")
    first, second = workspace.track(), workspace.track(description="other")
    assert {sent.status for sent in toggl.sender.deliver()} == {200}
    workspace.step(5)
    workspace.change(first, description="changed", duration=1800)
    workspace.delete(second)
    toggl.sender.deliver()
    found = entries(hub, "plain")
    assert found == {str(first): ("changed", False), str(second): ("other", True)}
    wait_until(lambda: hub.value("SELECT count(*) FROM outbox") == 0)
    told = [event["data"]["sequence"] for event in hub.announced() if event["book"] == "plain"]
    assert told == sorted(set(told)), "each revision once, in order"
    before = hub.value("SELECT last FROM book_sequence WHERE book = 'plain'")
    # After an outage the vendor sends everything of the last days once more.
    assert {sent.status for sent in toggl.sender.redeliver(4)} == {200}
    assert hub.value("SELECT last FROM book_sequence WHERE book = 'plain'") == before
    assert hub.announced() == []


@pytest.mark.parametrize("seed", range(4))
def test_disorder_and_duplicates_end_where_order_would(
    hub: Hub, toggl: TogglServer, seed: int
) -> None:
    book = f"disorder-{seed}"
    workspace = open_workspace(toggl, hub, book, "tags")
    expected: dict[str, Any] = {}
    for number in range(6):
        identity = workspace.track(description="0")
        for change in range(3):
            workspace.step(2)
            workspace.change(identity, description=f"{number}.{change}")
        if number % 3 == 0:
            # In the very second of the last change.
            workspace.delete(identity)
        expected[str(identity)] = (f"{number}.2", number % 3 == 0)
    toggl.sender.deliver(Manner(duplicates=2, shuffled=True, seed=seed))
    assert entries(hub, book) == expected
    assert hub.value("SELECT count(*) FROM conflict WHERE book = :book", book=book) == 0


def test_a_stranger_changes_nothing_and_is_kept(hub: Hub, toggl: TogglServer) -> None:
    workspace = open_workspace(toggl, hub, "strangers", "tags")
    entry = workspace.track()
    for manner in (Manner(wrong_signature=True), Manner(unsigned=True)):
        assert {sent.status for sent in toggl.sender.deliver(manner)} == {401}
    assert entries(hub, "strangers") == {}
    sql = "SELECT count(*) FROM received_payload WHERE book = 'strangers' AND outcome = 'refused'"
    refused = hub.value(sql)
    assert refused == 2
    assert hub.value(f"{sql} AND octet_length(body) > 100") == refused
    assert {sent.status for sent in toggl.sender.deliver()} == {200}
    assert list(entries(hub, "strangers")) == [str(entry)], "what was refused comes again"


def test_a_truncated_delivery_is_kept_with_its_reason(hub: Hub, toggl: TogglServer) -> None:
    workspace = open_workspace(toggl, hub, "truncated", "tags")
    toggl.sender.deliver()
    workspace.track()
    assert [sent.status for sent in toggl.sender.deliver(Manner(truncated=True))] == [200]
    sql = "SELECT reasons->0->>'code' FROM received_payload WHERE book = 'truncated' AND outcome"
    assert hub.rows(f"{sql} = 'rejected'") == [("not_json",)]
    assert entries(hub, "truncated") == {}


def test_a_poll_finds_what_no_webhook_told(hub: Hub, toggl: TogglServer) -> None:
    workspace = open_workspace(toggl, hub, "lossy", "time", "projects")
    wait_until(lambda: hub.value(_FINISHED, book="lossy", feed="time") is not None)
    with toggl.world.lock:
        toggl.world.undelivered.clear()
    now = toggl.world.clock.stamp()
    lost = workspace.track(start=now, stop=None, duration=-1, description="never told")
    with toggl.world.lock:
        toggl.world.undelivered.clear()
    hub.admin("/v1/books/lossy/sources/toggl/poll", {"feeds": ["time"]})
    wait_until(lambda: str(lost) in entries(hub, "lossy"))
    # The event comes at last: it says what is known.
    before = hub.value("SELECT last FROM book_sequence WHERE book = 'lossy'")
    toggl.sender.redeliver(1)
    assert hub.value("SELECT last FROM book_sequence WHERE book = 'lossy'") == before
    assert hub.value("SELECT count(*) FROM conflict WHERE book = 'lossy'") == 0


_FINISHED = "SELECT last_finished_at FROM polled_feed WHERE book = :book AND feed = :feed"


def test_two_workspaces_stay_apart(hub: Hub, toggl: TogglServer) -> None:
    one = open_workspace(toggl, hub, "firm-one", "tags")
    two = open_workspace(toggl, hub, "firm-two", "tags")
    first, second = one.track(), two.track()
    toggl.sender.deliver()
    assert list(entries(hub, "firm-one")) == [str(first)]
    assert list(entries(hub, "firm-two")) == [str(second)]
    # A delivery of the one, signed with its own secret, sent to the other's address.
    toggl.world.subscriptions[
        one.subscription_id
    ].url_callback = f"{hub.url}/v1/webhooks/firm-two/toggl"
    third = one.track()
    assert [sent.status for sent in toggl.sender.deliver()] == [401]
    assert str(third) not in entries(hub, "firm-two")
