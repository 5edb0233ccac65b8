"""Reading a Toggl workspace, against the stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hourbridge.common.errors import (
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.messages.records import Project, TimeEntry
from hourbridge.connectors.source import Page, Span, Statement
from hourbridge.connectors.toggl import entries as reading
from hourbridge.sandbox.toggl import TogglSandboxSettings, TogglServer
from hourbridge.sandbox.toggl.seed import seed_workspace
from tests.support.clocks import SteppingClock
from tests.support.trackers import Opened, connection_to, open_over_registry


@dataclass
class Tracker:
    """A stand-in's workspace, and the source that reads it."""

    server: TogglServer
    workspace_id: int
    token: str
    user_id: int
    projects: dict[str, int]
    clock: SteppingClock

    def open(self, token: str | None = None) -> Opened:
        connection = connection_to(
            "toggl",
            self.server.base_url,
            str(self.workspace_id),
            {"api_token": token or self.token},
            {"zone": "Europe/Vienna"},
        )
        return open_over_registry(connection, self.clock)

    def step(self, **duration: float) -> None:
        """Let time go on for both."""
        self.clock.step(**duration)
        with self.server.world.lock:
            self.server.world.clock.set_to(self.clock.instant)

    def track(self, seconds: int = 3600, **values: Any) -> int:
        """Return the id of a new entry that ended now."""
        start = self.clock.instant - timedelta(seconds=max(seconds, 0))
        row = {
            "user_id": self.user_id,
            "start": start.isoformat(),
            "stop": self.clock.instant.isoformat(),
            "duration": seconds,
            "project_id": self.projects["Site"],
            "description": "work",
            "billable": True,
            "tags": [],
        } | values
        with self.server.world.lock:
            identity: int = self.server.world.create(self.workspace_id, "time_entry", row)["id"]
        return identity

    def change(self, identity: int, **values: Any) -> None:
        with self.server.world.lock:
            self.server.world.update("time_entry", identity, values)

    def delete(self, identity: int) -> None:
        with self.server.world.lock:
            self.server.world.delete("time_entry", identity)


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    server = TogglServer(settings=TogglSandboxSettings(calls_per_hour_max=None))
    server.start()
    clock = SteppingClock(datetime(2026, 4, 1, 12, tzinfo=UTC))
    with server.world.lock:
        server.world.clock.set_to(clock.instant)
        opened = seed_workspace(
            server.world,
            {"name": "Acme", "people": {"Ada Byron": "UTC"}, "clients": {"Globex": ["Site"]}},
        )
    person = opened["people"]["Ada Byron"]
    yield Tracker(
        server, opened["workspace_id"], person["token"], person["id"], opened["projects"], clock
    )
    server.stop()


def stated(pages: list[Page]) -> dict[str, Statement]:
    found = {}
    for page in pages:
        for each in page.statements:
            assert each.record is not None, each.reasons
            found[each.record.external_id] = each
    return found


def entry(statement: Statement) -> TimeEntry:
    assert isinstance(statement.record, TimeEntry)
    return statement.record


def test_the_first_reading_goes_by_windows_then_changes_follow(tracker: Tracker) -> None:
    opened = tracker.open()
    assert opened.source.check() == ()
    first, second = tracker.track(), tracker.track(60)
    tracker.step(days=30)
    recent = tracker.track(7200)
    tracker.step(minutes=5)
    pages = opened.pages("time")
    assert {str(first), str(second), str(recent)} == set(stated(pages))
    assert len({page.reading.reading_id for page in pages}) == 1
    assert not any(page.reading.is_snapshot for page in pages), "others' entries are not shown"
    assert pages[-1].reading.totals[0].rows == 3
    assert pages[-1].reading.totals[0].seconds == 3600 + 60 + 7200

    tracker.step(minutes=10)
    tracker.change(first, description="more", duration=1800)
    tracker.delete(second)
    tracker.track(-1, stop=None)
    tracker.step(minutes=10)
    changes = opened.pages("time", pages[-1].cursor)
    assert len(changes) == 1
    now = stated(changes)
    assert len(now) == 3
    assert entry(now[str(first)]).input.seconds == 1800
    assert entry(now[str(second)]).deleted is not None
    assert [entry(each).running for each in now.values()].count(True) == 1
    tracker.step(minutes=10)
    quiet = opened.pages("time", changes[-1].cursor)
    former = {identity: (each.raw, each.order_key) for identity, each in now.items()}
    for identity, each in stated(quiet).items():
        assert (each.raw, each.order_key) == former[identity], "what overlaps says the same"


def test_a_webhook_and_a_poll_agree_about_the_order_within_one_second(tracker: Tracker) -> None:
    opened = tracker.open()
    identity = tracker.track()
    early = stated(opened.pages("time"))[str(identity)].order_key
    tracker.change(identity, description="changed within the same second")
    tracker.step(seconds=30)
    late = stated(opened.pages("time"))[str(identity)].order_key
    assert early is not None and late is not None
    assert late > early
    assert late // 1_000_000 == early // 1_000_000
    tracker.delete(identity)
    cursor = json.dumps({"since": int(tracker.clock.instant.timestamp()) - 600})
    gone = stated(opened.pages("time", cursor))[str(identity)].order_key
    assert gone is not None and gone > late


def test_an_answer_that_may_be_cut_off_is_not_believed(tracker: Tracker) -> None:
    opened = tracker.open()
    cursor = opened.pages("time")[-1].cursor
    tracker.step(minutes=2)
    for _ in range(30):
        tracker.track(60)
        tracker.step(hours=12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "ROWS_MAX", 10)
        tracker.server.world.settings.rows_max = 10
        pages = opened.pages("time", cursor)
    assert len(stated(pages)) == 30
    assert pages[0].reading.window_first == date(2026, 1, 17), "read anew"


def test_a_feed_that_stood_still_for_months_is_read_anew(tracker: Tracker) -> None:
    opened = tracker.open()
    cursor = opened.pages("time")[-1].cursor
    tracker.step(days=100)
    identity = tracker.track()
    pages = opened.pages("time", cursor)
    assert pages[0].reading.window_first == date(2026, 4, 12)
    assert str(identity) in stated(pages)


def test_history_goes_as_far_as_toggl_lets_it(tracker: Tracker) -> None:
    opened = tracker.open()
    identity = tracker.track()
    tracker.step(days=40)
    pages = opened.pages("time", span=Span(date(2026, 1, 1), date(2026, 4, 30)))
    assert str(identity) in stated(pages)
    assert pages[0].reading.window_first == date(2026, 2, 11)
    with pytest.raises(SourceRefused, match="import") as caught:
        opened.source.read("time", None, Span(date(2025, 1, 1), date(2025, 12, 31)))
    assert caught.value.reason_code == "history_limit"


def test_entries_of_other_workspaces_are_counted_not_hidden(tracker: Tracker) -> None:
    with tracker.server.world.lock:
        other = tracker.server.world.open_workspace("Private")
    tracker.track(workspace_id=other, wid=other)
    pages = tracker.open().pages("time")
    assert stated(pages) == {}
    assert sum(page.skipped.get("other_workspace", 0) for page in pages) == 1


def test_lists_are_snapshots_by_pages(tracker: Tracker) -> None:
    opened = tracker.open()
    assert opened.pages("tags")[0].statements == (), "an empty list is null"
    with tracker.server.world.lock:
        for number in range(450):
            tracker.server.world.create(
                tracker.workspace_id,
                "task",
                {"name": f"T{number}", "project_id": 1, "active": True},
            )
    projects = stated(opened.pages("projects"))
    site = projects[str(tracker.projects["Site"])].record
    assert isinstance(site, Project) and site.name == "Site"
    assert site.client_id in stated(opened.pages("clients"))
    assert str(tracker.user_id) in stated(opened.pages("staff"))
    tasks = opened.pages("tasks")
    assert [len(page.statements) for page in tasks] == [200, 200, 50]
    assert tasks[-1].reading.totals[0].rows == 450
    tracker.step(minutes=1)
    following = opened.pages("tasks", tasks[-1].cursor)
    assert following[0].reading.reading_id != tasks[0].reading.reading_id
    assert len(stated(following)) == 450


def test_what_is_gone_is_asked_one_by_one(tracker: Tracker) -> None:
    opened = tracker.open()
    here, deleted = tracker.track(), tracker.track()
    tracker.delete(deleted)
    asked = [str(here), str(deleted), "1", "../me"]
    assert opened.source.gone("time", asked) == {str(deleted), "1"}
    assert opened.source.gone("projects", [str(tracker.projects["Site"]), "2"]) == {"2"}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"throttle": {"retry_after_seconds": 9}}, SourceThrottled),
        ({"server_error": {"status": 500}}, SourceUnavailable),
        ({"html_page": {"status": 200}}, SourceAnswerUnreadable),
        ({"truncated": {}}, SourceAnswerUnreadable),
        ({"lose_request": {}}, SourceUnavailable),
    ],
)
def test_each_fault_is_what_it_is(
    tracker: Tracker, fault: dict[str, Any], error: type[SourceError]
) -> None:
    tracker.track()
    opened = tracker.open()
    cursor = opened.pages("time")[-1].cursor
    for name, values in fault.items():
        tracker.server.world.disturbances.set(name, {"next": 1, "on": "reads", **values})
    with pytest.raises(error):
        opened.source.read("time", cursor)
    assert opened.budget.pauses == ([9] if error is SourceThrottled else [])
    assert opened.pages("time", cursor)[-1].is_last, "and the next reading goes on"


def test_the_quota_says_when_it_is_over(tracker: Tracker) -> None:
    tracker.server.world.settings.calls_per_hour_max = 2
    opened = tracker.open()
    opened.source.read("clients", None)
    opened.source.read("staff", None)
    with pytest.raises(SourceThrottled, match="quota") as caught:
        opened.source.read("projects", None)
    assert caught.value.retry_after_seconds == 3600
    assert opened.budget.pauses == [3600]
    tracker.step(hours=1, seconds=1)
    assert opened.source.read("projects", None).is_last


def test_a_call_given_up_and_a_wrong_token_stop_with_a_reason(tracker: Tracker) -> None:
    tracker.server.world.settings.retired = "/tags"
    with pytest.raises(SourceRefused) as caught:
        tracker.open().source.read("tags", None)
    assert caught.value.reason_code == "http_410"
    stranger = tracker.open("nobody")
    with pytest.raises(SourceAuthorizationExpired):
        stranger.source.read("time", None)
    assert "403" in stranger.source.check()[0]
