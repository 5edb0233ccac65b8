"""From a connection to a BigTime source, its list writer and its marker; opening makes no call."""

from __future__ import annotations

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.bigtime.list_writer import BigTimeListWriter
from hourbridge.connectors.bigtime.marker import BigTimeMarker
from hourbridge.connectors.bigtime.settings import read_settings
from hourbridge.connectors.bigtime.signing_in import FirmKey, UserSession
from hourbridge.connectors.bigtime.source import BigTimeSource
from hourbridge.connectors.bigtime.transport import Credentials, Exchanges, Transport, open_client
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.source_access import SourceOpening

API_BASE_URL = "https://iq.bigtime.net/BigtimeData/api/v2"
KEY = "api_key"
USER, PASSWORD = "user_id", "password"  # noqa: S105 - names of secrets


def open_transport(connection: SourceConnection, opening: SourceOpening) -> Transport:
    """Return the authenticated calls of a connection; its account is the realm.

    Secrets are ``api_key``, or ``user_id`` and ``password``; raises ConfigurationInvalid for
    neither.
    """
    client = open_client(
        connection.api_base_url or API_BASE_URL, timeout_seconds=opening.timeout_seconds
    )
    exchanges = Exchanges(client, opening.budget, opening.observer)
    return Transport(exchanges, _credentials(connection, exchanges))


def open_bigtime(connection: SourceConnection, opening: SourceOpening) -> BigTimeSource:
    """Return the source of a connection."""
    settings = read_settings(connection.settings)
    transport = open_transport(connection, opening)
    return BigTimeSource(transport, settings, connection.account, opening.clock)


def open_bigtime_writer(connection: SourceConnection, opening: SourceOpening) -> BigTimeListWriter:
    """Return what writes the lists of a connection."""
    company = read_settings(connection.settings).company
    return BigTimeListWriter(open_transport(connection, opening), company=company)


def open_bigtime_marker(connection: SourceConnection, opening: SourceOpening) -> BigTimeMarker:
    """Return what tells a connection's firm the posting states."""
    return BigTimeMarker(open_transport(connection, opening))


def _credentials(connection: SourceConnection, exchanges: Exchanges) -> Credentials:
    secrets = connection.secrets
    if KEY in secrets:
        return FirmKey(connection.account, secrets[KEY])
    if USER in secrets and PASSWORD in secrets:
        user = secrets[USER].get_secret_value()
        return UserSession(exchanges, connection.account, user, secrets[PASSWORD])
    raise ConfigurationInvalid(
        f"connection {connection.name!r} to BigTime has neither {KEY} nor {USER} and {PASSWORD}",
        advice="Connect it again with the firm's API key (My Company, Integrations, API Keys).",
    )
