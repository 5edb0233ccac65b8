"""100,000 entries of history from a BigTime firm: time, memory, requests; a kill; today's work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.cli.client import AdminClient
from hourbridge.common.store.engine import Store
from hourbridge.ingestor.polling.pages import BEFORE_COMMIT
from tests.support.bigtime_firm import BigTimeFirm, running_bigtime
from tests.support.installation import Installation, wait_until
from tests.support.postgres import PostgresServer

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.long, pytest.mark.timeout(2400)]

ENTRIES = 100_000
FIRST, LAST = "2023-11-01", "2026-09-30"
VOLUME = {
    "realm": "acme",
    "dataset": "volume",
    "options": {"entries": ENTRIES, "first": FIRST, "last": LAST},
}
SOURCE = "/v1/books/firm/sources/bigtime"
VENDOR_CALLS_PER_MINUTE = 25
MEMORY_MEGABYTES_MAX = 250
PAGES_BEFORE_KILL = 20


@pytest.fixture(scope="module")
def firm() -> Iterator[BigTimeFirm]:
    with running_bigtime(VOLUME) as firm:
        yield firm


@pytest.fixture
def installation(
    broker_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> Iterator[Installation]:
    name = postgres_server.create_database()
    made = Installation(broker_url, postgres_server.url(name), tmp_path)
    # Nobody consumes in this test: the gate would hold back what waits for the mapper.
    made.environment["HOURBRIDGE_INTAKE_BACKLOG_MAX"] = "0"
    made.setup()
    try:
        yield made
    finally:
        made.close()
        postgres_server.drop_database(name)


@contextmanager
def ingestor_store(installation: Installation) -> Iterator[Store]:
    store = Store(installation.database_url, "ingestor", pool_size=2)
    try:
        yield store
    finally:
        store.close()


def count(store: Store, condition: str = "true") -> int:
    with store.transaction() as connection:
        return int(
            connection.execute(text(f"SELECT count(*) FROM record WHERE {condition}")).scalar_one()
        )


def connect(client: AdminClient, firm: BigTimeFirm) -> None:
    connection = {
        "name": "acme",
        "system": "bigtime",
        "account": firm.realm,
        "api_base_url": firm.api_url,
        "secrets": {"api_key": firm.key},
        "settings": {"base_currency": "USD", "zone": "America/New_York"},
        "calls_per_minute": 100_000,
        "calls_per_second": 10_000,
    }
    client.post("ingestor", "/v1/source-connections", connection)
    client.post("ingestor", f"{SOURCE}/feeds", {"connection": "acme", "feeds": ["time"]})


def seconds_until_seen(client: AdminClient, store: Store, firm: BigTimeFirm) -> float:
    """Enter and approve an entry of today, ask for a reading, and wait until it is accepted."""
    today = firm.server.world.clock.now().date().isoformat()
    sid = firm.enter(today, "1.25", approved=True)
    entered = max((row["SID"] for row in _rows(firm, today)), default=sid)
    began = time.monotonic()
    client.post("ingestor", f"{SOURCE}/poll", {"feeds": ["time"]})
    wait_until(lambda: count(store, f"external_id = '{entered}'"), "today's entry", 300)
    return time.monotonic() - began


def _rows(firm: BigTimeFirm, day: str) -> list[dict[str, Any]]:
    with firm.server.world.lock:
        return [{"SID": entry.sid} for entry in firm.firm.time if entry.dt == day]


def peak_megabytes(installation: Installation) -> int:
    status = Path(f"/proc/{installation.processes['ingestor'].pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def test_history_is_read_once_resumably_and_without_delaying_today(
    installation: Installation, firm: BigTimeFirm, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.start("ingestor", faults=f"{BEFORE_COMMIT}=kill9@{PAGES_BEFORE_KILL}")
    installation.wait_ready("ingestor")
    with installation.client() as client, ingestor_store(installation) as store:
        connect(client, firm)
        feeds = "SELECT 1 FROM polled_feed WHERE last_finished_at IS NOT NULL"
        wait_until(lambda: _any(store, feeds), "the first reading", 120)
        quiet_seconds = seconds_until_seen(client, store, firm)
        calls_before = len(firm.calls())
        span = {"feeds": ["time"], "first": FIRST, "last": LAST}
        began = time.monotonic()
        client.post("ingestor", f"{SOURCE}/history", span)
        killed = installation.processes["ingestor"]
        wait_until(lambda: killed.poll() is not None, "the kill", 300)
        at_kill = count(store, f"on_date <= '{LAST}'")
        assert 0 < at_kill < ENTRIES

        installation.start("ingestor")
        installation.wait_ready("ingestor")
        assert client.post("ingestor", f"{SOURCE}/history", span) == {"asked": []}
        wait_until(lambda: count(store, f"on_date <= '{LAST}'") > at_kill, "it to go on", 120)
        busy_seconds = [seconds_until_seen(client, store, firm) for _ in range(3)]
        assert count(store, f"on_date <= '{LAST}'") < ENTRIES, "history ended too soon to tell"
        done = "SELECT 1 FROM polled_span WHERE state = 'done'"
        wait_until(lambda: _any(store, done), "the whole span", 1800)
        took_seconds = time.monotonic() - began
        calls = len(firm.calls()) - calls_before
        peak = peak_megabytes(installation)

        assert count(store, f"on_date <= '{LAST}'") == ENTRIES
        (row,) = client.get("ingestor", f"{SOURCE}/history")["history"]
        assert sum(row["counts"]["time_entry"].values()) == ENTRIES
        assert row["counts"]["time_entry"].get("accepted") == ENTRIES
    with capsys.disabled():
        print(
            f"\n{ENTRIES} entries in {took_seconds:.0f} s ({ENTRIES / took_seconds:.0f}/s), "
            f"{calls} calls (at {VENDOR_CALLS_PER_MINUTE} a minute: "
            f"{calls / VENDOR_CALLS_PER_MINUTE:.0f} min), peak {peak} MB; "
            f"today's entry seen in {quiet_seconds:.1f} s when quiet, in "
            f"{max(busy_seconds):.1f} s meanwhile; killed once at {at_kill}"
        )
    assert peak < MEMORY_MEGABYTES_MAX
    assert max(busy_seconds) < 3 * quiet_seconds + 15


def _any(store: Store, query: str) -> bool:
    with store.transaction() as connection:
        return connection.execute(text(query)).first() is not None
