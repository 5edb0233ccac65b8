"""From a request to an entry in QuickBooks Online: the real connector against its stand-in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hourbridge.sandbox.quickbooks_online import SandboxServer
from tests.support.list_changes import entry, requested, told
from tests.support.online_ledger import BINDING, REALM, online_poster, running_sandbox
from tests.support.posting import Poster

pytestmark = pytest.mark.database


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def poster(database_for: Callable[..., str], sandbox: SandboxServer) -> Iterator[Poster]:
    with online_poster(database_for("poster", "connections"), sandbox) as poster:
        yield poster


def stored(sandbox: SandboxServer, kind: str = "Customer") -> list[dict[str, Any]]:
    with sandbox.world.lock:
        return list(sandbox.world.companies[REALM].tables[kind].values())


def settle(poster: Poster) -> None:
    for _ in range(15):
        poster.parts.lists.run_due()
        poster.clock.step(seconds=600)


def test_a_client_becomes_a_customer(poster: Poster, sandbox: SandboxServer) -> None:
    wanted = entry("Fresh & Co", email="a@example.com")
    poster.feed(requested("c1", wanted, ledger=BINDING, origin="client-7"))
    poster.parts.lists.run_due()
    (done,) = told(poster)
    assert (done.outcome, done.origin) == ("written", "client-7")
    (row,) = [row for row in stored(sandbox) if row["DisplayName"] == "Fresh & Co"]
    assert done.entry is not None
    assert (done.entry.entry_id, done.entry.edit_token) == (row["Id"], "0")
    exchanges = poster.rows("SELECT * FROM audit WHERE action = 'ledger.exchange'")
    assert [row.detail["path"] for row in exchanges] == ["customer"]


@pytest.mark.parametrize("remembers", [True, False])
def test_lost_answers_make_no_duplicate_customers(
    poster: Poster, sandbox: SandboxServer, remembers: bool
) -> None:
    if not remembers:
        sandbox.world.settings.requestid_memory_seconds = 0
    for n in range(40):
        poster.feed(requested(f"c{n}", entry(f"Client {n}"), ledger=BINDING, origin=f"r{n}"))
    for fault in ("lose_response", "error_after_commit", "lose_request"):
        sandbox.world.disturbances.set(fault, {"rate": "0.1"})
    settle(poster)
    assert len(sandbox.world.disturbances.happened) == 3
    names = Counter(row["DisplayName"] for row in stored(sandbox))
    assert {name: names[name] for name in names if name.startswith("Client ")} == {
        f"Client {n}": 1 for n in range(40)
    }
    last = {one.change_id: one for one in told(poster)}
    assert {one.outcome for one in last.values()} <= {"written", "adopted"}
    assert len({one.entry.entry_id for one in last.values() if one.entry}) == 40


def test_a_name_that_a_vendor_has_is_told(poster: Poster, sandbox: SandboxServer) -> None:
    poster.feed(requested("c1", entry("Bravo"), ledger=BINDING))
    poster.parts.lists.run_due()
    (done,) = told(poster)
    reasons = {reason.code: reason.detail for reason in done.reasons}
    assert done.outcome == "refused"
    assert (reasons["holder_list"], reasons["holder_name"]) == ("vendor", "Bravo")
    assert "name_taken" in reasons
