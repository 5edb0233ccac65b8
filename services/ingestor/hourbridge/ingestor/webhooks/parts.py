"""The webhooks, made of their parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.connectors.connections.source_store import SourceConnection, SourceStore
from hourbridge.connectors.source_opening import open_receiver
from hourbridge.connectors.webhooks import WebhookReceiver
from hourbridge.ingestor.acceptor import Acceptor
from hourbridge.ingestor.flood_gate import FloodGates
from hourbridge.ingestor.polling.parts import PollingParts
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.webhooks.acting import Actor
from hourbridge.ingestor.webhooks.endpoint import WebhookIntake, WebhookLimits
from hourbridge.ingestor.webhooks.routing import OpenReceiver, Routing
from hourbridge.ingestor.webhooks.waiting import Backlog

_WAITING_SECONDS = 5


@dataclass(frozen=True)
class WebhookParts:
    """Everything that takes pushes."""

    routes: list[Route] = field(default_factory=list)
    tasks: list[PeriodicTask] = field(default_factory=list)
    backlog: Backlog | None = None


def webhook_parts(
    settings: IngestorSettings,
    polling: PollingParts,
    *,
    store: Store,
    outbox: Outbox,
    acceptor: Acceptor,
    clock: Clock,
    gates: FloodGates,
) -> WebhookParts:
    """Return the endpoints and their task; nothing where no connection could be read."""
    sources = polling.sources
    if sources is None:
        return WebhookParts()
    app_secrets = {
        "quickbooks-online": settings.webhook_quickbooks_online_verifier_tokens,
    }
    routing = Routing(store, sources, _opener(sources, clock), app_secrets)
    actor = Actor(acceptor, outbox, routing)
    backlog = Backlog(store, outbox, actor, clock=clock, gate=gates.work, poll_now=polling.wake)
    limits = WebhookLimits(settings.webhook_body_bytes_max, settings.webhook_lock_seconds)
    intake = WebhookIntake(store, actor, backlog, clock=clock, limits=limits, gate=gates.work)
    task = PeriodicTask("webhooks-waiting", _WAITING_SECONDS, backlog.run)
    backlog.wake_by(task.wake_event)
    return WebhookParts(routes=intake.routes(), tasks=[task], backlog=backlog)


def _opener(sources: SourceStore, clock: Clock) -> OpenReceiver:
    def opened(connection: SourceConnection) -> WebhookReceiver:
        return open_receiver(connection, sources, clock=clock)

    return opened
