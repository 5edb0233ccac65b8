"""From a book's ledger binding to a Ledger: the registry of kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hourbridge.common.book import LedgerBinding
from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.access import Exchange, Observer
from hourbridge.connectors.connections.store import ConnectionDetails, ConnectionStore
from hourbridge.connectors.ledger import Ledger
from hourbridge.connectors.quickbooks_online.connecting import open_transport
from hourbridge.connectors.quickbooks_online.ledger import (
    OPERATION_MEMORY_SECONDS,
    QuickBooksOnlineLedger,
)
from hourbridge.connectors.quickbooks_online.transport import CALL_TIMEOUT_SECONDS


def _ignore(_exchange: Exchange) -> None:
    """Observe nothing."""


@dataclass(frozen=True)
class Opening:
    """What opening a ledger is given besides its connection."""

    clock: Clock
    timeout_seconds: float
    observer: Observer


def _open_quickbooks_online(
    details: ConnectionDetails, connections: ConnectionStore, opening: Opening
) -> Ledger:
    transport = open_transport(
        details,
        connections,
        timeout_seconds=opening.timeout_seconds,
        observer=opening.observer,
    )
    memory = details.operation_memory_seconds
    return QuickBooksOnlineLedger(
        transport,
        opening.clock,
        operation_memory_seconds=OPERATION_MEMORY_SECONDS if memory is None else memory,
    )


OpenKind = Callable[[ConnectionDetails, ConnectionStore, Opening], Ledger]
KINDS: dict[str, OpenKind] = {"quickbooks_online": _open_quickbooks_online}
"""How each kind of ledger is opened."""


def open_ledger(
    binding: LedgerBinding,
    connections: ConnectionStore,
    *,
    clock: Clock | None = None,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
    observer: Observer = _ignore,
) -> Ledger:
    """Return the ledger that a book is bound to; opening makes no call.

    Raises ConfigurationInvalid when the connection is missing or belongs to another company.
    ``observer`` sees every exchange with the ledger (for the audit) and must not raise.
    """
    details = connection_of(binding, connections)
    if binding.kind not in KINDS:
        raise ConfigurationInvalid(
            f"no connector for ledgers of kind {binding.kind!r} is installed"
        )
    opening = Opening(clock or SystemClock(), timeout_seconds, observer)
    return KINDS[binding.kind](details, connections, opening)


def connection_of(binding: LedgerBinding, connections: ConnectionStore) -> ConnectionDetails:
    """Return the connection that a book names, if it stands for the book's company."""
    details = connections.get(binding.connection)
    if (details.kind, details.company_id) != (binding.kind, binding.company_id):
        what = (
            f"connection {details.name!r} is {details.kind} company {details.company_id}, "
            f"the book names {binding.kind} company {binding.company_id}"
        )
        raise ConfigurationInvalid(what)
    return details
