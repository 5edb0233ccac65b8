"""The whole service over a bus: what is published is seen, and the API tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.messages.publishing import outgoing
from hourbridge.common.runtime.service import ServiceRunner
from hourbridge.common.store.engine import Store
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.wiring import build
from tests.support.reconciling import BOOK, MemoryLedger, changed, charged, document, line

pytestmark = pytest.mark.database

SECONDS_MAX = 30


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never happened")
        time.sleep(0.05)


def test_published_states_are_reconciled(
    database_for: Callable[..., str], clock: Any, ledger: MemoryLedger
) -> None:
    url = database_for("reconciler")
    settings = ReconcilerSettings(
        database_url=url, admin_tokens={"token": "olga:operator"}, recheck_seconds=0
    )
    bus = EmbeddedBus()
    bus.apply(build_topology())
    store = Store(url, "reconciler")
    runner = ServiceRunner(
        build(settings, store=store, bus=bus, clock=clock, ledgers=ledger.open), settings
    )
    runner.start()
    try:
        posted = ledger.post(document("doc-1", [line(1, ["r1"], "1")]))
        events = [*charged("r1", 1), changed(posted)]
        bus.publish([outgoing(each.event) for each in events])
        headers = {"Authorization": "Bearer token"}
        with httpx.Client(base_url=runner.http.url, headers=headers, timeout=30) as client:
            status = f"/v1/books/{BOOK}/reports/status"
            wait_for(lambda: bool(client.get(status).json()["documents"]))
            wait_for(lambda: client.get(status).json()["settled_through"] == 1)
            ledger.delete(posted)
            answer = client.post(f"/v1/books/{BOOK}/reconcile").json()
            assert answer["open"] == {"target_deleted": 1}
            assert "hourbridge_time_to_invoice_seconds" in client.get("/metrics").text
    finally:
        runner.stop()
        bus.close()
