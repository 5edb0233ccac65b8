"""kill -9 at every declared fault point of each service; at the end the books are right."""

from __future__ import annotations

import importlib
import json
import pkgutil
import random
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import hourbridge.ingestor
import hourbridge.mapper
import hourbridge.poster
import hourbridge.reconciler
from hourbridge.cli.client import SERVICES
from hourbridge.cli.commands.imports import run_import
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import declared
from tests.integration.flow.chaos import BOOK, RATE, REALM, SOURCE, Chaos, Workload
from tests.scenarios.upstream import Upstream
from tests.support.installation import Installation, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(1800)]

SHARED = ("consumer", "outbox")
"""Points in code that every service runs."""
NOT_BY_A_ROUND = {
    "ingestor.poll_after_commit": "needs a polled source; services/ingestor/tests/polling",
    "ingestor.poll_before_commit": "needs a polled source; services/ingestor/tests/polling",
    "ingestor.poll_between_deletions": "needs a polled source; services/ingestor/tests/polling",
    "ingestor.webhook_after_commit": "needs a webhook; services/ingestor/tests/webhooks",
    "ingestor.webhook_after_keeping": "needs a webhook; services/ingestor/tests/webhooks",
    "ingestor.webhook_before_commit": "needs a webhook; services/ingestor/tests/webhooks",
    "mapper.lists_after_plan": "needs lists of both sides; services/mapper/tests/lists fails there",
    "mapper.lists_in_plan": "needs lists of both sides; services/mapper/tests/lists fails there",
    "poster.list_change_taken": "needs a list change; services/poster/tests/lists fails there",
    "poster.list_outcome_committed": "needs a list change; services/poster/tests/lists",
    "poster.list_outcome_stored": "needs a list change; services/poster/tests/lists",
    "poster.list_written": "needs a list change; services/poster/tests/lists fails there",
    "poster.payment_assembled": "needs a payment; services/poster/tests/currencies fails there",
    "poster.revaluation_committed": "needs a month-end; scenario A34 fails there",
    "poster.revaluation_entered": "needs a month-end; scenario A34 fails there",
    "poster.retainer_moved": "needs a retainer; services/poster/tests/test_retainer_payments.py",
    "poster.revenue_recognized": "needs recognition; services/poster/tests/test_recognition.py",
    "poster.run_undone": "needs a run undone; services/poster/tests/test_review.py fails there",
    "dead.after_replay": "needs a dead message; tests/integration/bus kills there",
}
MAY_BE_SPARED = {
    ("outbox.after_publish", "reconciler"),  # the reconciler announces nothing
    ("outbox.before_publish", "reconciler"),
}
IN_EVERY_RUN = (
    ("consumer.after_commit", "mapper"),
    ("outbox.after_publish", "poster"),
    ("ingestor.http_after_commit", "ingestor"),
    ("poster.ledger_written", "poster"),
)


def every_point() -> list[tuple[str, str]]:
    """Return each declared point with each service that passes it."""
    for package in (
        hourbridge.ingestor,
        hourbridge.mapper,
        hourbridge.poster,
        hourbridge.reconciler,
    ):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if "__main__" not in module.name and ".migrations" not in module.name:
                importlib.import_module(module.name)
    found = []
    for name in sorted(set(declared()) - set(NOT_BY_A_ROUND)):
        prefix = name.partition(".")[0]
        found += [(name, service) for service in (SERVICES if prefix in SHARED else (prefix,))]
    return found


class Rounds:
    """Rounds of work that pass every point, and the sum that the ledger must show."""

    def __init__(self, chaos: Chaos, folder: Path) -> None:
        self.chaos = chaos
        self._folder = folder
        self._tenths: dict[str, int] = {}
        self._version: dict[str, int] = {}
        self._round = 0
        self._chance = random.Random(5)

    def kill_at(self, point: str, service: str) -> bool:
        """Run one round with ``service`` armed; return whether it died there."""
        installation = self.chaos.installation
        installation.stop(service)
        installation.start(service, faults=f"{point}=kill9")
        process = installation.processes[service]
        self._supervised(lambda: installation.wait_ready(service, 20))
        if point == "poster.ledger_searched":  # passed only after an unknown outcome
            self._lose_an_answer()
        self._work()
        self._settle()
        if (point, service) not in MAY_BE_SPARED:  # a lease of its predecessor may hold it up
            self._until(lambda: process.poll() is not None, f"{service} to die at {point}")
            self._settle()
        return process.poll() == -signal.SIGKILL

    def _lose_an_answer(self) -> None:
        faults = {"lose_response": {"next": 1}}
        httpx.put(f"{self.chaos.sandbox.base_url}/_sandbox/faults", json=faults)

    def _work(self) -> None:
        self._round += 1
        self._report([f"R{self._round}-{n}" for n in range(10)])
        self._publish(f"A{self._round}")
        self._import_file()
        self._configure()
        self._settle()
        self._report(self._chance.sample(sorted(self._tenths), 3))
        self._supervised(lambda: self._post("reconciler", f"/v1/books/{BOOK}/reconcile", {}))

    def _report(self, ids: list[str]) -> None:
        entries = [self._changed(identifier) for identifier in ids]
        events = [{**self.chaos.event_of(entry), "id": self._event_id(entry)} for entry in entries]
        self._until(lambda: self.chaos.try_to_send(events), "events to be acknowledged")

    def _publish(self, identifier: str) -> None:
        """Tell an entry on AMQP, so that the ingestor's own lane has work too."""
        upstream = Upstream(self.chaos.installation.broker_url)
        try:
            upstream.report([self._changed(identifier)], book=BOOK, source=SOURCE)
        finally:
            upstream.close()

    def _changed(self, identifier: str) -> dict[str, Any]:
        self._tenths[identifier] = self._chance.randrange(1, 80)
        self._version[identifier] = self._version.get(identifier, 0) + 1
        client = sum(map(ord, identifier)) % self.chaos.workload.clients
        return {
            "external_id": identifier,
            "staff_id": "p1",
            "client_id": f"Client {client}",
            "work_date": "2026-01-15",
            "input": {"seconds": self._tenths[identifier] * 360},
            "billable_state": "billable",
            "approval": {"state": "approved"},
            "external_version": str(self._version[identifier]),
        }

    def _event_id(self, entry: dict[str, Any]) -> str:
        return f"{entry['external_id']}-{entry['external_version']}"

    def _import_file(self) -> None:
        entries = [self._changed(f"F{self._round}-{n}") for n in range(5)]
        path = self._folder / f"round-{self._round}.jsonl"
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        query = {"book": BOOK, "source": SOURCE, "profile": "jsonl", "filename": path.name}

        def run() -> None:
            with self.chaos.installation.client() as client:
                summary = run_import(client, path, query, show_progress=False)
                assert "outcomes" in summary, summary

        self._supervised(run)

    def _configure(self) -> None:
        document = self.chaos.workload.configuration()
        document["invoicing"]["memo"] = f"Round {self._round}"
        content = json.dumps(document).encode()

        def run() -> None:
            with self.chaos.installation.client() as client:
                client.post("mapper", "/v1/mappings/apply", content=content)

        self._supervised(run)

    def _post(self, service: str, path: str, body: Any) -> None:
        with self.chaos.installation.client() as client:
            client.post(service, path, body)

    def _supervised(self, work: Any) -> None:
        """Do ``work`` until it succeeds."""

        def succeeded() -> bool:
            try:
                work()
            except (HourbridgeError, httpx.HTTPError, AssertionError):
                return False
            return True

        self._until(succeeded, "a step of a round")

    def _until(self, condition: Any, what: str) -> None:
        """Wait for ``condition``; whoever died meanwhile is started again."""

        def held() -> bool:
            self.chaos.installation.revive()
            return bool(condition())

        wait_until(held, what, 120, self.chaos.state)

    def _settle(self) -> None:
        def settled() -> bool:
            self.chaos.bill()
            return self.net_in_ledger() == self.expected() and not self._moving()

        self._until(settled, "the ledger to show the sum")

    def _moving(self) -> bool:
        status = self.chaos.status()
        return status is None or bool(status["operations"]) or bool(status["corrections_due"])

    def expected(self) -> Decimal:
        return sum(self._tenths.values()) * RATE / 10

    def net_in_ledger(self) -> Decimal:
        url = f"{self.chaos.sandbox.base_url}/_sandbox/companies/{REALM}"
        tables = json.loads(httpx.get(url, timeout=60).text, parse_float=Decimal)["tables"]
        signs = {"Invoice": 1, "CreditMemo": -1}
        return sum(
            (
                sign * Decimal(str(row["TotalAmt"]))
                for kind, sign in signs.items()
                for row in tables.get(kind, [])
            ),
            Decimal(0),
        )

    def check(self) -> None:
        creates = httpx.get(
            f"{self.chaos.sandbox.base_url}/_sandbox/companies/{REALM}/creates", timeout=60
        ).json()
        for kind in ("Invoice", "CreditMemo"):
            assert all(len(ids) == 1 for ids in creates.get(kind, {}).values()), creates


@pytest.fixture
def rounds(broker_url: str, database_url: str, tmp_path: Path) -> Iterator[Rounds]:
    chaos = Chaos(Installation(broker_url, database_url, tmp_path), Workload(entries=0))
    try:
        chaos.open(requestid_memory_seconds=86_400, lost_responses="0")
        yield Rounds(chaos, tmp_path)
    finally:
        chaos.close()


def kill_at_all(rounds: Rounds, points: list[tuple[str, str]]) -> None:
    spared = [(point, service) for point, service in points if not rounds.kill_at(point, service)]
    rounds.check()
    assert set(spared) <= MAY_BE_SPARED, sorted(set(spared) - MAY_BE_SPARED)


def test_kills_at_the_points_between_effect_and_word(rounds: Rounds) -> None:
    assert set(IN_EVERY_RUN) <= set(every_point())
    kill_at_all(rounds, list(IN_EVERY_RUN))


@pytest.mark.long
@pytest.mark.parametrize(
    "prefix", ["consumer", "outbox", "ingestor", "mapper", "poster", "reconciler"]
)
def test_kills_at_every_declared_point(rounds: Rounds, prefix: str) -> None:
    points = [pair for pair in every_point() if pair[0].startswith(f"{prefix}.")]
    assert points
    kill_at_all(rounds, [pair for pair in points if pair not in IN_EVERY_RUN])
