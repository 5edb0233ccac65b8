"""TimeTagger, run for real: what a person tracks comes out as records."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hourbridge.common.errors import SourceAuthorizationExpired
from hourbridge.common.messages.records import TimeEntry
from hourbridge.connectors.source import Page, Span
from hourbridge.connectors.timetagger import source as reading
from tests.support.trackers import (
    Opened,
    TimeTagger,
    connection_to,
    open_over_registry,
    timetagger_server,
)

NINE = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp())
SETTINGS = {"staff_id": "ada", "zone": "Europe/Vienna", "approval": "not_required"}


@pytest.fixture(scope="module")
def server() -> Iterator[TimeTagger]:
    with timetagger_server() as running:
        yield running


@pytest.fixture
def opened(server: TimeTagger) -> Opened:
    connection = connection_to(
        "timetagger", server.base_url, "ada", {"api_token": server.token}, SETTINGS
    )
    return open_over_registry(connection)


def record(key: str, ds: str, *, t1: int = NINE, t2: int = NINE + 3600, mt: int = NINE) -> Any:
    return {"key": key, "t1": t1, "t2": t2, "mt": mt, "ds": ds}


def entries(pages: list[Page]) -> dict[str, TimeEntry]:
    found = {}
    for page in pages:
        for stated in page.statements:
            assert stated.reasons == ()
            assert isinstance(stated.record, TimeEntry)
            found[stated.record.external_id] = stated.record
    return found


def order_of(pages: list[Page]) -> dict[str, int]:
    return {
        each.record.external_id: each.order_key or 0
        for page in pages
        for each in page.statements
        if each.record is not None
    }


def test_entries_changes_and_deletions_come_in_order(server: TimeTagger, opened: Opened) -> None:
    assert opened.source.check() == ()
    server.put(
        record("a", "Design #acme/website"),
        record("b", "Café 😀 #client-globex #nonbillable", t2=NINE + 1800),
        record("c", "thinking #acme/website/ideas", t2=NINE),
    )
    first = opened.pages("time")
    assert first[0].reading.is_snapshot
    assert first[-1].reading.totals[0].rows == 3
    assert first[-1].reading.totals[0].seconds == 5400
    seen = entries(first)
    assert (seen["a"].client_id, seen["a"].project_id) == ("acme", "acme/website")
    assert (seen["a"].input.seconds, seen["a"].work_date) == (3600, date(2026, 3, 2))
    assert seen["a"].approval.state == "not_required"
    assert (seen["b"].client_id, seen["b"].billable_state) == ("globex", "non_billable")
    assert (seen["c"].running, seen["c"].input.seconds, seen["c"].end_at) == (True, 0, None)
    assert seen["c"].task_id == "acme/website/ideas"

    keys = order_of(first)
    # The same second on the client's clock: only the server knows which change was later.
    server.put(record("a", "Design, again #acme/website", t2=NINE + 5400))
    server.put(record("b", "HIDDEN Café 😀 #client-globex", mt=NINE + 1))
    second = opened.pages("time", first[-1].cursor)
    changed = entries(second)
    assert changed["a"].input.seconds == 5400
    assert changed["b"].deleted is not None
    later = order_of(second)
    assert later["a"] > keys["a"] and later["b"] > keys["b"]
    assert opened.source.gone("time", ["a", "b", "never"]) == {"b", "never"}


def test_a_quiet_account_brings_nothing_new(server: TimeTagger, opened: Opened) -> None:
    server.put(record("quiet", "#acme/website"))
    cursor = opened.pages("time")[-1].cursor
    # What is stated again within the overlap is the same statement, with the same key.
    again = opened.pages("time", cursor)
    once_more = opened.pages("time", cursor)
    assert [each.raw for page in again for each in page.statements] == [
        each.raw for page in once_more for each in page.statements
    ]
    assert again[-1].is_last


def test_thousands_stored_at_one_moment_are_read_by_pages_resumably(
    server: TimeTagger, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 100)
    keys = {f"bulk-{number:04}" for number in range(1050)}
    server.put(*(record(key, "#acme/website") for key in sorted(keys)))
    pages = [opened.source.read("time", None)]
    while not pages[-1].is_last:
        # Whoever goes on may be another process: nothing but the cursor is remembered.
        fresh = connection_to(
            "timetagger", server.base_url, "ada", {"api_token": server.token}, SETTINGS
        )
        reader = open_over_registry(fresh).source if len(pages) % 2 else opened.source
        pages.append(reader.read("time", pages[-1].cursor))
    stated = [
        each.record.external_id
        for page in pages
        for each in page.statements
        if each.record is not None
    ]
    assert len(stated) == len(set(stated))
    assert keys <= set(stated)
    assert pages[-1].reading.totals[0].rows == len(stated)
    assert len({page.reading.reading_id for page in pages}) == 1
    assert all(len(page.statements) <= 100 for page in pages)


def test_history_is_read_by_months(server: TimeTagger, opened: Opened) -> None:
    january = int(datetime(2025, 1, 15, 9, tzinfo=UTC).timestamp())
    march = int(datetime(2025, 3, 31, 23, 30, tzinfo=UTC).timestamp())
    server.put(
        record("old-1", "#acme/website", t1=january, t2=january + 60),
        record("old-2", "#acme/website", t1=march, t2=march + 60),
    )
    pages = opened.pages("time", span=Span(date(2025, 1, 1), date(2025, 3, 31)))
    assert len(pages) == 3
    found = entries(pages)
    assert "old-1" in found
    assert "old-2" not in found, "in Vienna it is April already"
    assert pages[-1].reading.window_last == date(2025, 3, 31)


def test_a_wrong_token_is_told(server: TimeTagger) -> None:
    connection = connection_to("timetagger", server.base_url, "x", {"api_token": "no"}, SETTINGS)
    opened = open_over_registry(connection)
    assert "401" in opened.source.check()[0]
    with pytest.raises(SourceAuthorizationExpired):
        opened.source.read("time", None)


def test_a_reset_of_the_server_is_a_snapshot(server: TimeTagger, opened: Opened) -> None:
    # The last test here: what was changed before a reset is refused after it.
    server.put(record("kept", "#acme/website"))
    cursor = opened.pages("time")[-1].cursor
    time.sleep(0.3)
    server.reset()
    pages = opened.pages("time", cursor)
    assert pages[0].reading.is_snapshot
    assert "kept" in entries(pages)
