"""Scenario A70: an outage with 1,000 events queued ends as if there had been none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.flow.chaos import Chaos, Workload
from tests.support.installation import Installation

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(600)]

AWAY = ("mapper", "poster", "reconciler")


def test_a70_everything_queued_during_an_outage_is_processed_once(
    broker_url: str, database_url: str, tmp_path: Path
) -> None:
    installation = Installation(broker_url, database_url, tmp_path)
    chaos = Chaos(installation, Workload(entries=1_000, seed=70))
    try:
        chaos.open(requestid_memory_seconds=86_400, lost_responses="0")
        for service in AWAY:
            assert installation.stop(service) == 0
        chaos.send_everything(pause_seconds=0)
        for service in AWAY:
            installation.start(service)
        for service in AWAY:
            installation.wait_ready(service)
        chaos.settle()
        chaos.check()
    finally:
        chaos.close()
