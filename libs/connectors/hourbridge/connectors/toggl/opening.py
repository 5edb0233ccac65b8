"""Opening a Toggl connection: its source, and what understands its webhooks.

The connection's account is the workspace id. Secrets: ``api_token`` of the user who reads, and
``webhook_secret`` of the subscription; ``webhook_secret_previous`` is also accepted, while the
secret is being replaced.
"""

from __future__ import annotations

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.source import Source
from hourbridge.connectors.source_access import SourceOpening
from hourbridge.connectors.toggl.calls import calls_of
from hourbridge.connectors.toggl.settings import toggl_settings
from hourbridge.connectors.toggl.source import TogglSource
from hourbridge.connectors.toggl.webhooks import TogglReceiver
from hourbridge.connectors.webhooks import WebhookReceiver

VENDOR_URL = "https://api.track.toggl.com"
_WEBHOOK_SECRETS = ("webhook_secret", "webhook_secret_previous")


def open_toggl(connection: SourceConnection, opening: SourceOpening) -> Source:
    """Return the source of a workspace; makes no call."""
    token = connection.secrets.get("api_token")
    if token is None:
        raise ConfigurationInvalid(
            "the Toggl connection has no API token",
            advice="Connect it again with the secret `api_token`.",
            connection=connection.name,
        )
    calls = calls_of(
        connection.api_base_url or VENDOR_URL,
        token.get_secret_value(),
        opening.budget,
        opening.observer,
        opening.timeout_seconds,
    )
    settings = toggl_settings(connection.settings)
    return TogglSource(calls, connection.account, settings, opening.clock)


def receive_toggl(connection: SourceConnection, _clock: Clock) -> WebhookReceiver:
    """Return what understands the deliveries of a workspace's subscriptions."""
    secrets = [
        connection.secrets[name].get_secret_value()
        for name in _WEBHOOK_SECRETS
        if name in connection.secrets
    ]
    return TogglReceiver(secrets, toggl_settings(connection.settings), connection.account)
