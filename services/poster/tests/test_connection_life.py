"""Posters and their connection: one refresh for all, a dead grant parks, a new one lets go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.common.messages.events import DocumentStatus
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections import ConnectionStore, NewConnection
from hourbridge.connectors.list_opening import open_ledger_writer
from hourbridge.connectors.opening import open_ledger
from hourbridge.poster.connection_watch import ConnectionWatch
from hourbridge.poster.lists.dispatcher import NOWHERE, OpenTargets
from hourbridge.sandbox.quickbooks_online import SandboxServer, seed_company
from tests.support.charges import hours, make_charge
from tests.support.clocks import SteppingClock
from tests.support.list_changes import entry, requested, told
from tests.support.online_ledger import BINDING, REALM, SEED, running_sandbox
from tests.support.posting import Poster

pytestmark = pytest.mark.database


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


class Deployment:
    """Replicas of a poster: one database, each with its own view of the connection."""

    def __init__(self, url: str, sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self._keys = [Fernet.generate_key().decode()]
        self.url = url
        self.stores: list[Store] = []
        self.new = NewConnection(
            name="main",
            kind="quickbooks_online",
            company_id=REALM,
            api_base_url=sandbox.base_url,
            token_url=sandbox.token_url,
            client_id="sandbox-client",
            client_secret=SecretStr("sandbox-secret"),
            refresh_token=SecretStr(seed_company(sandbox.world, SEED)),
            calls_per_minute=100_000,
            calls_per_second=10_000,
        )
        self.connections = self.replica()
        self.connections.save(self.new, actor="test")

    def replica(self, clock: SteppingClock | None = None) -> ConnectionStore:
        store = Store(self.url, "connections")
        self.stores.append(store)
        return ConnectionStore(store, self._keys, clock)

    def poster(self) -> Poster:
        store = Store(self.url, "poster")
        self.stores.append(store)
        poster = Poster(store, open_ledger(BINDING, self.replica(), timeout_seconds=10))
        poster.configure(ledger=BINDING)
        return poster

    def reconnect(self) -> None:
        token = self.sandbox.world.tokens.connect(REALM)
        fields = {**self.new.__dict__, "refresh_token": SecretStr(token)}
        self.connections.save(NewConnection(**fields), actor="test")


@pytest.fixture
def deployment(database_for: Callable[..., str], sandbox: SandboxServer) -> Iterator[Deployment]:
    deployment = Deployment(database_for("poster", "connections"), sandbox)
    yield deployment
    for store in deployment.stores:
        store.close()


def bill(poster: Poster, charge_id: str = "a") -> None:
    poster.charge(make_charge(charge_id, hours("5"), ledger=BINDING))
    poster.bill()


@pytest.mark.parametrize("grace", [0, 86_400])
def test_two_posters_race_for_one_refresh(deployment: Deployment, grace: int) -> None:
    """Both find the token expired at once; the service rotates at each refresh."""
    tokens = deployment.sandbox.world.tokens
    settings = {"refresh_rotation": "always", "refresh_grace_seconds": grace}
    deployment.sandbox.world.settings.change(settings)
    posters = [deployment.poster() for _ in range(2)]
    for poster in posters:
        assert list(poster.ledger.check()) == []
    assert tokens.refreshes_of(REALM) == 1
    barrier = threading.Barrier(2)
    problems: list[str] = []

    def call(poster: Poster) -> None:
        barrier.wait()
        problems.extend(poster.ledger.check())

    for n in range(3):
        with deployment.sandbox.world.lock:
            tokens.expire_access(REALM)
        threads = [threading.Thread(target=call, args=(poster,)) for poster in posters]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert tokens.refreshes_of(REALM) == n + 2, "exactly one of the two refreshed"
    (state,) = deployment.connections.states()
    assert (state.state, state.refreshes) == ("connected", 4)
    assert list(deployment.poster().ledger.check()) == [], "the newest token was kept"


def test_a_dead_grant_parks_the_lane_until_somebody_connects(deployment: Deployment) -> None:
    poster = deployment.poster()
    deployment.sandbox.world.tokens.disconnect(REALM)
    bill(poster)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTING
    (lane,) = poster.parts.status.lanes()
    assert (lane["state"], lane["code"]) == ("parked", "ledger_authorization_expired")
    assert deployment.connections.states()[0].state == "broken"
    poster.clock.step(hours=1)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTING
    deployment.reconnect()
    poster.clock.step(hours=1)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTED
    assert poster.parts.status.lanes() == []
    assert deployment.connections.states()[0].state == "connected"


def test_a_lost_refresh_answer_costs_no_document(deployment: Deployment) -> None:
    deployment.sandbox.world.settings.change({"refresh_rotation": "always"})
    poster = deployment.poster()
    with deployment.sandbox.world.lock:
        deployment.sandbox.world.disturbances.set("lose_response", {"next": 1, "on": "tokens"})
    bill(poster)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTING
    poster.clock.step(seconds=10)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTED


def test_idle_connections_are_kept_alive(deployment: Deployment) -> None:
    clock = SteppingClock(datetime.now(UTC))
    connections = deployment.replica(clock)
    deployment.poster().ledger.check()
    watch = ConnectionWatch(connections, clock)
    watch.keep_alive()
    assert connections.states()[0].refreshes == 1
    clock.step(days=8)
    watch.keep_alive()
    watch.keep_alive()
    (state,) = connections.states()
    assert state.refreshes == 2
    assert state.refresh_expires_at is not None
    assert state.refresh_expires_at - clock.now() == timedelta(seconds=8_726_400)


def test_a_dead_grant_holds_up_list_changes_too(
    deployment: Deployment, sandbox: SandboxServer
) -> None:

    store = Store(deployment.url, "poster")
    deployment.stores.append(store)
    connections = deployment.replica()
    targets = OpenTargets(
        ledger=lambda binding: open_ledger_writer(binding, connections),
        source=NOWHERE.source,
        marker=NOWHERE.marker,
    )
    ledger = open_ledger(BINDING, connections, timeout_seconds=10)
    poster = Poster(store, ledger, targets=targets)
    sandbox.world.tokens.disconnect(REALM)
    poster.feed(requested("c1", entry("Fresh"), ledger=BINDING))
    poster.parts.lists.run_due()
    assert [one.outcome for one in told(poster)] == ["waiting"]
    deployment.reconnect()
    poster.clock.step(hours=1)
    poster.parts.lists.run_due()
    assert [one.outcome for one in told(poster)] == ["waiting", "written"]
