"""Whom a delivery concerns: by its address, or by the company that each event names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import SecretStr
from sqlalchemy import Connection

from hourbridge.common.errors import ConfigurationInvalid, WebhookRefused
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.source_opening import RECEIVERS
from hourbridge.connectors.webhooks import Delivery, WebhookReceiver
from hourbridge.ingestor.polling.opened import Connections

OpenReceiver = Callable[[SourceConnection], WebhookReceiver]
APPS = {"quickbooks-online": "quickbooks_online"}
"""Endpoints that serve all companies of an app, and their systems."""
VERIFIER_TOKEN = "verifier_token"

_SOURCE = statement(
    "SELECT connection, system FROM polled_source WHERE book = :book AND source = :source"
)
_SOURCES = statement(
    "SELECT book, source FROM polled_source WHERE connection = ANY(:connections) "
    "ORDER BY book, source"
)


@dataclass(frozen=True)
class Address:
    """Where a delivery was sent: to an app's endpoint, or to that of one source."""

    app: str | None = None
    book: str | None = None
    source: str | None = None


@dataclass(frozen=True, order=True)
class Target:
    """A source of a book."""

    book: str
    source: str


@dataclass(frozen=True)
class Recipient:
    """Who understands the deliveries of an address."""

    system: str
    receivers: Sequence[WebhookReceiver]
    """Any of them may verify; more than one where an app's secret is being replaced."""
    target: Target | None
    """None: each event names the company that it is about."""

    def receive(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return what a delivery says; raises WebhookRefused when nobody verifies it."""
        refusal = WebhookRefused("nothing verifies it")
        for receiver in self.receivers:
            try:
                return receiver.receive(headers, body)
            except WebhookRefused as error:
                refusal = error
        raise refusal


class Routing:
    """Finds recipients and targets. Thread-safe."""

    def __init__(
        self,
        store: Store,
        connections: Connections,
        opener: OpenReceiver,
        app_secrets: Mapping[str, Sequence[SecretStr]],
    ) -> None:
        """``app_secrets``: by endpoint of an app, the tokens with which deliveries are signed."""
        self._store = store
        self._connections = connections
        self._open = opener
        self._app_secrets = app_secrets

    def recipient(self, address: Address) -> Recipient | None:
        """Return who understands an address's deliveries, None for an unknown one.

        Raises ConfigurationInvalid when the secret to verify with isn't set.
        """
        if address.app is not None:
            return self._app(address.app)
        if address.book is None or address.source is None:
            return None
        parameters = {"book": address.book, "source": address.source}
        with self._store.transaction() as connection:
            row = connection.execute(_SOURCE, parameters).first()
        if row is None or row.system not in RECEIVERS:
            return None
        found = self._connections.get(row.connection)
        return Recipient(found.system, [self._open(found)], Target(address.book, address.source))

    def targets(self, connection: Connection, system: str, account: str | None) -> list[Target]:
        """Return the sources that read a company: none, one, or several books'."""
        names = [
            state.name
            for state in self._connections.states()
            if (state.system, state.account) == (system, account)
        ]
        rows = connection.execute(_SOURCES, {"connections": names}) if names else ()
        return [Target(row.book, row.source) for row in rows]

    def _app(self, app: str) -> Recipient:
        system = APPS[app]
        secrets = self._app_secrets.get(app, ())
        if not secrets:
            raise ConfigurationInvalid(
                f"no verifier token is set for the webhooks of {system}",
                advice="Set HOURBRIDGE_WEBHOOK_QUICKBOOKS_ONLINE_VERIFIER_TOKENS.",
            )
        return Recipient(system, [self._open(_of_app(system, each)) for each in secrets], None)


def _of_app(system: str, secret: SecretStr) -> SourceConnection:
    """Return an app's secret in the form in which receivers take theirs."""
    return SourceConnection(
        name=f"app:{system}",
        system=system,
        account="*",
        api_base_url="",
        settings={},
        secrets={VERIFIER_TOKEN: secret},
        changed_at=datetime(1970, 1, 1, tzinfo=UTC),
    )
