"""From a book's ledger or source to who writes its lists and its marks: the registries.

Each tracker adds one line to ``WRITERS`` and, if it takes posting states, one to ``MARKERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from hourbridge.common.book import LedgerBinding
from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.access import Exchange, Observer
from hourbridge.connectors.bigtime.opening import open_bigtime_marker, open_bigtime_writer
from hourbridge.connectors.connections.source_store import SourceConnection, SourceStore
from hourbridge.connectors.connections.store import ConnectionStore
from hourbridge.connectors.list_writer import ListWriter
from hourbridge.connectors.marking import Marker
from hourbridge.connectors.opening import Opening, connection_of
from hourbridge.connectors.quickbooks_online.connecting import open_transport
from hourbridge.connectors.quickbooks_online.list_writing import QuickBooksOnlineListWriter
from hourbridge.connectors.quickbooks_online.transport import CALL_TIMEOUT_SECONDS
from hourbridge.connectors.source_access import SourceOpening

Opened = TypeVar("Opened")


def _ignore(_exchange: Exchange) -> None:
    """Observe nothing."""


OpenSourceWriter = Callable[[SourceConnection, SourceOpening], ListWriter]
WRITERS: dict[str, OpenSourceWriter] = {"bigtime": open_bigtime_writer}
"""How the lists of each tracker are written."""

OpenMarker = Callable[[SourceConnection, SourceOpening], Marker]
MARKERS: dict[str, OpenMarker] = {"bigtime": open_bigtime_marker}
"""How each tracker that takes posting states is told them."""


def open_ledger_writer(
    binding: LedgerBinding,
    connections: ConnectionStore,
    *,
    clock: Clock | None = None,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    observer: Observer = _ignore,
) -> ListWriter:
    """Return who writes the lists of the ledger that a book is bound to; makes no call.

    Raises ConfigurationInvalid when the connection is missing or belongs to another company, and
    for ledgers whose lists can't be written.
    """
    details = connection_of(binding, connections)
    opening = Opening(clock or SystemClock(), timeout_seconds, observer)
    if details.kind != "quickbooks_online":
        raise ConfigurationInvalid(f"lists of {details.kind!r} can't be written")
    transport = open_transport(
        details,
        connections,
        timeout_seconds=opening.timeout_seconds,
        observer=opening.observer,
        caller="lists",
    )
    return QuickBooksOnlineListWriter(transport, opening.clock)


def open_source_writer(
    connection: str,
    sources: SourceStore,
    *,
    clock: Clock | None = None,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    observer: Observer = _ignore,
) -> ListWriter:
    """Return who writes the lists of a source; raises ConfigurationInvalid when nobody can."""
    return _opened(WRITERS, connection, sources, clock, timeout_seconds, observer)


def open_marker(
    connection: str,
    sources: SourceStore,
    *,
    clock: Clock | None = None,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    observer: Observer = _ignore,
) -> Marker:
    """Return who tells a source what was posted; raises ConfigurationInvalid when nobody can."""
    return _opened(MARKERS, connection, sources, clock, timeout_seconds, observer)


def _opened(
    registry: Mapping[str, Callable[[SourceConnection, SourceOpening], Opened]],
    connection: str,
    sources: SourceStore,
    clock: Clock | None,
    timeout_seconds: float,
    observer: Observer,
) -> Opened:
    details = sources.get(connection)
    opener = registry.get(details.system)
    if opener is None:
        raise ConfigurationInvalid(
            f"nothing can be written to sources of system {details.system!r}",
            advice=f"Systems that can be: {', '.join(sorted(registry)) or 'none'}.",
            connection=details.name,
        )
    opening = SourceOpening(
        clock=clock or SystemClock(),
        timeout_seconds=timeout_seconds,
        budget=sources.budget(details.name),
        sources=sources,
        ledgers=None,
        observer=observer,
    )
    return opener(details, opening)
