"""RabbitMQ's management HTTP API: the one place where bindings can be listed."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import httpx

from hourbridge.common.errors import BusError


class ManagementApi:
    """Read-only access to the virtual host that ``broker_url`` names.

    The user is taken from ``management_url``, else from ``broker_url``; it needs the tag
    ``monitoring`` or ``management``.
    """

    def __init__(self, management_url: str, broker_url: str) -> None:
        given, broker = urlsplit(management_url), urlsplit(broker_url)
        login = given if given.username else broker
        self._auth = (unquote(login.username or "guest"), unquote(login.password or "guest"))
        port = f":{given.port}" if given.port else ""
        vhost = unquote(broker.path.removeprefix("/")) or "/"
        base = f"{given.scheme}://{given.hostname}{port}{given.path.rstrip('/')}"
        self._bindings_url = f"{base}/api/bindings/{quote(vhost, safe='')}"

    def bindings(self) -> set[tuple[str, str, str]]:
        """Return every (exchange, queue, routing key); raise BusError when it can't be read."""
        try:
            response = httpx.get(self._bindings_url, auth=self._auth, timeout=10)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise BusError(f"management API: {error}", url=self._bindings_url) from None
        return {
            (item["source"], item["destination"], item["routing_key"])
            for item in response.json()
            if item["destination_type"] == "queue"
        }
