"""Makes the parts that write lists and joins them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.common.store.outbox import Outbox
from hourbridge.connectors.connections import ConnectionStore
from hourbridge.connectors.connections.source_store import SourceStore
from hourbridge.connectors.list_opening import (
    open_ledger_writer,
    open_marker,
    open_source_writer,
)
from hourbridge.poster.lanes.recording import Pauses
from hourbridge.poster.ledger_audit import LedgerAudit
from hourbridge.poster.lists.dispatcher import ListDispatcher, OpenTargets
from hourbridge.poster.lists.lane import ListLaneTools
from hourbridge.poster.lists.recording import ListRecorder
from hourbridge.poster.settings import PosterSettings


def list_dispatcher(
    settings: PosterSettings,
    store: Store,
    outbox: Outbox,
    clock: Clock,
    announced: Callable[[], None],
    targets: OpenTargets,
) -> ListDispatcher:
    """Return who runs the list lanes of a poster."""
    pauses = Pauses(
        settle_seconds=settings.poster_settle_seconds,
        probe_seconds=settings.poster_probe_seconds,
        probe_seconds_max=settings.poster_probe_seconds_max,
        attempts_max=settings.poster_attempts_max,
    )
    tools = ListLaneTools(
        store=store,
        leases=Leases(store, random_id()),
        recorder=ListRecorder(outbox, clock, pauses),
        clock=clock,
        announced=announced,
        stopping=threading.Event(),
        lease_seconds=settings.poster_lease_seconds,
        settle_seconds=settings.poster_settle_seconds,
    )
    return ListDispatcher(tools, targets, lanes_max=settings.poster_lanes_max)


def connected_targets(
    connections: ConnectionStore, sources: SourceStore, clock: Clock, observed: LedgerAudit
) -> OpenTargets:
    """Return how real systems are opened; every exchange with them is kept in the audit."""
    return OpenTargets(
        ledger=lambda binding: open_ledger_writer(
            binding, connections, clock=clock, observer=observed.observe
        ),
        source=lambda name: open_source_writer(
            name, sources, clock=clock, observer=observed.observe
        ),
        marker=lambda name: open_marker(name, sources, clock=clock, observer=observed.observe),
    )
