"""Opening a company for reading, over the connection by which its ledger is posted to."""

from __future__ import annotations

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.quickbooks_online.connecting import open_transport
from hourbridge.connectors.quickbooks_online.inbound.source import SYSTEM, QuickBooksOnlineSource
from hourbridge.connectors.quickbooks_online.inbound.webhooks import QuickBooksOnlineReceiver
from hourbridge.connectors.source import Source
from hourbridge.connectors.source_access import SourceOpening
from hourbridge.connectors.webhooks import WebhookReceiver

VERIFIER_TOKEN = "verifier_token"
"""The secret's name: one per app, given by the service's developer pages."""


def open_source(connection: SourceConnection, opening: SourceOpening) -> Source:
    """Return the company's source: tokens and call budget are those of its ledger connection."""
    if opening.ledgers is None:
        raise ConfigurationInvalid(
            "reading QuickBooks Online needs its ledger connection", connection=connection.name
        )
    details = opening.ledgers.get(connection.name)
    if details.kind != SYSTEM or details.company_id != connection.account:
        what = f"connection {details.name!r} is {details.kind} company {details.company_id}"
        raise ConfigurationInvalid(what, connection=connection.name)
    transport = open_transport(
        details,
        opening.ledgers,
        timeout_seconds=opening.timeout_seconds,
        observer=opening.observer,
        caller="reading",
    )
    return QuickBooksOnlineSource(transport, opening.clock)


def open_receiver(connection: SourceConnection, clock: Clock) -> WebhookReceiver:
    """Return what understands the app's deliveries; raises ConfigurationInvalid without secret."""
    del clock  # deliveries carry no time that could prove them fresh
    secret = connection.secrets.get(VERIFIER_TOKEN)
    if secret is None or not secret.get_secret_value():
        raise ConfigurationInvalid(
            "the webhooks' verifier token is not set",
            advice=f"Give it as secret {VERIFIER_TOKEN!r} of the source connection.",
            connection=connection.name,
        )
    return QuickBooksOnlineReceiver(secret)
