"""A thousand good entries, one that makes the mapper fail, and one that kills it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.flow.chaos import BOOK, Chaos, Workload
from tests.integration.flow.poisoned_mapper import FAILS, KILLS
from tests.support.installation import Installation, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(600)]

GOOD = 1_000
POISONED = [sys.executable, "-m", "tests.integration.flow.poisoned_mapper"]


def test_the_poison_stands_alone_and_comes_through_after_a_fix(
    broker_url: str, database_url: str, tmp_path: Path
) -> None:
    installation = Installation(broker_url, database_url, tmp_path)
    chaos = Chaos(installation, Workload(entries=GOOD))
    try:
        chaos.open(requestid_memory_seconds=86_400, lost_responses="0")
        installation.stop("mapper")
        installation.start("mapper", command=POISONED)
        events = [chaos.event_of(entry) for entry in chaos.workload.statements()]
        events[300:300] = [poison("kills", KILLS), poison("fails", FAILS)]
        for first in range(0, len(events), 100):
            assert chaos.try_to_send(events[first : first + 100])
        wait_until(lambda: good_ones_went_through(chaos), "the good ones", 240, chaos.state)
        dead = wait_until(lambda: two_dead(chaos), "both poisons to be dead", 240, chaos.state)
        assert {row["cause"] for row in dead} == {"defect", "killed_its_holder"}

        installation.stop("mapper")
        installation.start("mapper")
        installation.wait_ready("mapper")
        with installation.client() as client:
            for cause in ("defect", "killed_its_holder"):
                answer = client.post("mapper", "/v1/dead/replay", {"cause": cause})
                assert len(answer["replayed"]) == 1
        wait_until(lambda: chaos.status()["watermark"] == GOOD + 2, "the poison to come through")
        assert list_dead(chaos) == []
    finally:
        chaos.close()


def poison(name: str, notes: str) -> dict[str, Any]:
    entry = {
        "external_id": name,
        "staff_id": "p1",
        "client_id": "Client 1",
        "work_date": "2026-01-15",
        "input": {"seconds": 3600},
        "billable_state": "billable",
        "approval": {"state": "approved"},
        "external_version": "1",
        "notes": notes,
    }
    return {
        "specversion": "1.0",
        "id": name,
        "source": "/tracker",
        "type": "hourbridge.time_entry.reported.v1",
        "book": BOOK,
        "data": entry,
    }


def good_ones_went_through(chaos: Chaos) -> bool:
    supervise(chaos)
    status = chaos.status()
    wanted = GOOD - GOOD // 50  # every fiftieth entry is not billable
    return status is not None and status["charges"].get("unbilled", 0) >= wanted


def two_dead(chaos: Chaos) -> Any:
    supervise(chaos)
    dead = list_dead(chaos)
    return dead if len(dead) == 2 else None


def list_dead(chaos: Chaos) -> list[dict[str, Any]]:
    with chaos.installation.client() as client:
        try:
            rows: list[dict[str, Any]] = client.get("mapper", "/v1/dead")["dead"]
        except Exception:  # noqa: BLE001 - the mapper may be dying just now
            return []
    return rows


def supervise(chaos: Chaos) -> None:
    """Start the defective mapper again whenever it has died."""
    process = chaos.installation.processes["mapper"]
    if process.poll() is not None:
        chaos.installation.start("mapper", command=POISONED)
