"""From a stored connection to a Transport: tokens and call budget shared by all callers."""

from __future__ import annotations

from hourbridge.connectors.access import Caller, Observer
from hourbridge.connectors.connections.store import ConnectionDetails, ConnectionStore
from hourbridge.connectors.quickbooks_online.tokens import TokenEndpoint
from hourbridge.connectors.quickbooks_online.transport import Transport, open_client


def token_endpoint(details: ConnectionDetails) -> TokenEndpoint:
    """Return where and as whom the connection's tokens are asked for."""
    return TokenEndpoint(
        details.token_url, details.client_id, details.client_secret.get_secret_value()
    )


def open_transport(
    details: ConnectionDetails,
    connections: ConnectionStore,
    *,
    timeout_seconds: float,
    observer: Observer,
    caller: Caller = "posting",
) -> Transport:
    """Return the transport of a company; makes no call. ``caller`` decides whose turn is first."""
    return Transport(
        open_client(details.api_base_url, timeout_seconds=timeout_seconds),
        details.company_id,
        tokens=connections.tokens(details.name, token_endpoint(details).refresh),
        budget=connections.budget(details.name, caller),
        observer=observer,
    )
