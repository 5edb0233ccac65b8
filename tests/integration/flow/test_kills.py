"""kill -9 of every part while 5,000 entries flow, and a ledger that loses answers."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import sqlalchemy

from hourbridge.cli.client import SERVICES
from hourbridge.common.store.engine import driver_url
from tests.integration.flow.chaos import Chaos, Workload, in_background
from tests.support.installation import Installation
from tests.support.rabbitmq import PrivateRabbit

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(900)]


@pytest.fixture
def installation(
    private_rabbitmq_node: PrivateRabbit, database_url: str, tmp_path: Path
) -> Installation:
    return Installation(private_rabbitmq_node.url("/"), database_url, tmp_path)


@pytest.mark.parametrize("requestid_memory_seconds", [86_400, 0])
def test_everything_is_killed_once_and_nothing_is_lost_or_doubled(
    installation: Installation,
    private_rabbitmq_node: PrivateRabbit,
    requestid_memory_seconds: int,
) -> None:
    chaos = Chaos(installation, Workload(seed=requestid_memory_seconds + 7))
    chance = random.Random(chaos.workload.seed)
    try:
        chaos.open(requestid_memory_seconds=requestid_memory_seconds, lost_responses="0.05")
        sending = in_background(chaos.send_everything)
        for service in chance.sample(SERVICES, len(SERVICES)):
            time.sleep(chance.uniform(0.5, 2.0))
            chaos.bill()
            installation.kill(service)
            installation.start(service)
        time.sleep(chance.uniform(0.5, 2.0))
        private_rabbitmq_node.crash()
        private_rabbitmq_node.restart()
        terminate_backends(installation.database_url)
        sending.join(300)
        assert not sending.is_alive()
        chaos.settle()
        chaos.check()
    finally:
        chaos.close()


def terminate_backends(database_url: str) -> None:
    """End every connection of the services to their database, as a failover would."""
    engine = sqlalchemy.create_engine(driver_url(database_url))
    with engine.begin() as connection:
        connection.execute(
            sqlalchemy.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()
