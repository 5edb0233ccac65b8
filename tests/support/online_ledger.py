"""A poster in front of the real connector and a stand-in company of QuickBooks Online."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.common.book import LedgerBinding
from hourbridge.common.store.engine import Store
from hourbridge.connectors.access import Observer
from hourbridge.connectors.connections import ConnectionStore, NewConnection
from hourbridge.connectors.connections.source_store import SourceStore
from hourbridge.connectors.list_opening import (
    open_ledger_writer,
    open_marker,
    open_source_writer,
)
from hourbridge.connectors.list_writer import ListWriter
from hourbridge.connectors.opening import open_ledger
from hourbridge.poster.ledger_audit import LedgerAudit
from hourbridge.poster.lists.dispatcher import OpenTargets
from hourbridge.sandbox.quickbooks_online import (
    CompanySeed,
    SandboxServer,
    SandboxSettings,
    seed_company,
)
from tests.support.posting import Poster

REALM = "4620816365000000001"
BINDING = LedgerBinding(connection="main", company_id=REALM)
SEED = CompanySeed(REALM, customers={"Acme": ["P1"], "Bolt": []}, items=["Consulting"])


@contextlib.contextmanager
def running_sandbox() -> Iterator[SandboxServer]:
    """Run a stand-in that never throttles."""
    settings = SandboxSettings(requests_per_minute_max=None, requests_per_second_max=None)
    server = SandboxServer(settings=settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def online_poster(url: str, sandbox: SandboxServer, seed: CompanySeed = SEED) -> Iterator[Poster]:
    """Return a poster whose only ledger is the company of ``seed``."""
    connection = NewConnection(
        name="main",
        kind="quickbooks_online",
        company_id=REALM,
        api_base_url=sandbox.base_url,
        token_url=sandbox.token_url,
        client_id="sandbox-client",
        client_secret=SecretStr("sandbox-secret"),
        refresh_token=SecretStr(seed_company(sandbox.world, seed)),
        calls_per_minute=100_000,
        calls_per_second=10_000,
        batches_per_minute=100_000,
    )
    with (
        contextlib.closing(Store(url, "poster")) as store,
        contextlib.closing(Store(url, "connections")) as shared,
    ):
        connections = ConnectionStore(shared, [Fernet.generate_key().decode()])
        connections.save(connection, actor="test")
        observer = LedgerAudit(store).observe
        ledger = open_ledger(BINDING, connections, timeout_seconds=2, observer=observer)
        with contextlib.closing(ledger):
            sources = SourceStore(shared, [Fernet.generate_key().decode()])
            poster = Poster(store, ledger, targets=_targets(connections, sources, observer))
            poster.configure(ledger=BINDING)
            yield poster


def _targets(connections: ConnectionStore, sources: SourceStore, observer: Observer) -> OpenTargets:
    def writer(binding: LedgerBinding) -> ListWriter:
        return open_ledger_writer(binding, connections, timeout_seconds=2, observer=observer)

    return OpenTargets(
        ledger=writer,
        source=lambda name: open_source_writer(name, sources, timeout_seconds=2),
        marker=lambda name: open_marker(name, sources, timeout_seconds=2),
    )
