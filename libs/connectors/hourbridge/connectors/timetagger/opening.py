"""Opening a TimeTagger connection.

The connection's account is any name of it that is unique; its address is that of the app
(``https://timetagger.example.com/timetagger/``). Secret: ``api_token``, from the account page.
"""

from __future__ import annotations

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.json_calls import JsonCalls, open_client
from hourbridge.connectors.source import Source
from hourbridge.connectors.source_access import SourceOpening
from hourbridge.connectors.timetagger.settings import timetagger_settings
from hourbridge.connectors.timetagger.source import TimeTaggerSource


def open_timetagger(connection: SourceConnection, opening: SourceOpening) -> Source:
    """Return the source of an account; makes no call."""
    token = connection.secrets.get("api_token")
    if token is None:
        raise ConfigurationInvalid(
            "the TimeTagger connection has no API token",
            advice="Connect it again with the secret `api_token`.",
            connection=connection.name,
        )
    if not connection.api_base_url:
        raise ConfigurationInvalid(
            "the TimeTagger connection has no address: everybody runs a server of their own",
            advice="Connect it again with the app's address as its API's.",
            connection=connection.name,
        )
    headers = {"authtoken": token.get_secret_value()}
    client = open_client(
        connection.api_base_url, headers=headers, timeout_seconds=opening.timeout_seconds
    )
    calls = JsonCalls(client, opening.budget, observer=opening.observer)
    settings = timetagger_settings(connection.settings)
    return TimeTaggerSource(calls, connection.account, settings, opening.clock)
