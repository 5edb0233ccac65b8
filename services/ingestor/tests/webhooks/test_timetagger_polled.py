"""A real tracker, read by the real poller: from TimeTagger's server into accepted records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingestor.tests.waiting import wait_until
from tests.support.trackers import TimeTagger, timetagger_server
from tests.support.webhooks import Hub

pytestmark = pytest.mark.database
NINE = int((datetime.now(UTC) - timedelta(days=1)).replace(hour=9, minute=0).timestamp())


@pytest.fixture(scope="module")
def server() -> Iterator[TimeTagger]:
    with timetagger_server() as running:
        yield running


@pytest.fixture(scope="module")
def hub(start_hub: Callable[..., Hub], server: TimeTagger) -> Hub:
    started = start_hub()
    started.connect(
        "ada",
        "timetagger",
        "ada",
        server.base_url,
        secrets={"api_token": server.token},
        settings={"staff_id": "ada", "zone": "Europe/Vienna", "default_state": "billable"},
    )
    server.put(record("first", "Design #acme/website"), record("gone", "#acme/website"))
    started.attach("acme", "ada", "ada", "time")
    return started


def record(key: str, ds: str, *, seconds: int = 3600, mt: int = NINE) -> dict[str, Any]:
    return {"key": key, "t1": NINE, "t2": NINE + seconds, "mt": mt, "ds": ds}


def known(hub: Hub) -> dict[str, tuple[int, bool]]:
    rows = hub.rows("SELECT external_id, state, deleted FROM record WHERE source = 'ada'")
    return {row.external_id: (row.state["input"]["seconds"], row.deleted) for row in rows}


def poll(hub: Hub) -> None:
    hub.admin("/v1/books/acme/sources/ada/poll", {"feeds": ["time"]})


def test_what_a_person_tracks_changes_and_deletes_is_accepted(hub: Hub, server: TimeTagger) -> None:
    wait_until(lambda: known(hub) == {"first": (3600, False), "gone": (3600, False)})
    assert hub.admin("/v1/books/acme/sources/ada/check")["problems"] == []
    state = hub.value("SELECT state FROM record WHERE external_id = 'first'")
    assert (state["client_id"], state["project_id"]) == ("acme", "acme/website")
    assert state["billable_state"] == "billable"

    server.put(record("first", "Design #acme/website", seconds=5400, mt=NINE + 1))
    server.put(record("gone", "HIDDEN #acme/website", mt=NINE + 1))
    server.put(record("new", "Call #acme/website", seconds=600))
    poll(hub)
    wait_until(lambda: len(known(hub)) == 3)
    wait_until(lambda: known(hub)["first"] == (5400, False))
    assert known(hub)["gone"][1]
    sql = "SELECT count(*) FROM conflict WHERE source = 'ada'"
    assert hub.value(sql) == 0

    # What nobody can use is kept and shown; its neighbours come in.
    server.put(record("clash", "#acme/website #client-globex"), record("fine", "#acme/website"))
    poll(hub)
    wait_until(lambda: "fine" in known(hub))
    rejected = hub.admin("/v1/books/acme/sources/ada/rejected", method="GET")
    assert [each["external_id"] for each in rejected["rejected"]] == ["clash"]
    assert rejected["rejected"][0]["reasons"][0]["code"] == "tags_clash"
    assert "clash" not in known(hub)
    wait_until(lambda: hub.value("SELECT count(*) FROM outbox") == 0)
    told = [event["data"]["sequence"] for event in hub.announced()]
    assert told == list(range(1, len(told) + 1)), "each once, gapless"


def test_what_a_restored_server_lacks_is_found_by_a_whole_reading(
    hub: Hub, server: TimeTagger
) -> None:
    server.put(record("kept", "#acme/website"), record("lost", "#acme/website"))
    poll(hub)
    wait_until(lambda: {"kept", "lost"} <= known(hub).keys())
    server.lose("lost")
    hub.admin("/v1/books/acme/sources/ada/poll", {"feeds": ["time"], "whole": True})
    wait_until(lambda: known(hub)["lost"][1])
    assert not known(hub)["kept"][1]
