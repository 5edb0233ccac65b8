"""Every request to a ledger and its answer, kept in the audit."""

from __future__ import annotations

import structlog

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.connectors.access import Exchange

log = structlog.get_logger(__name__)
ACTOR = "service:poster"


class LedgerAudit:
    """Observes exchanges with a ledger; never raises, for the exchange has happened."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def observe(self, exchange: Exchange) -> None:
        """Append one exchange."""
        try:
            with self._store.transaction() as connection:
                audit.write(
                    connection,
                    actor=ACTOR,
                    action="ledger.exchange",
                    subject=exchange.operation_key or exchange.path,
                    correlation_id=exchange.trace_id,
                    detail={
                        "method": exchange.method,
                        "path": exchange.path,
                        "request": exchange.request_body,
                        "status": exchange.status,
                        "response": exchange.response_body,
                        "failure": exchange.failure,
                    },
                )
        except HourbridgeError as error:
            log.warning("ledger_exchange_not_audited", path=exchange.path, error=str(error))
