"""The parts of the poster that deal with retainers, joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.retainers.commands import RetainerCommands
from hourbridge.poster.retainers.keeper import RetainerKeeper
from hourbridge.poster.retainers.report import RetainerReport
from hourbridge.poster.retainers.routes import RetainerApi


@dataclass(frozen=True)
class RetainerParts:
    """What is done by itself, what people ask for, and what they are shown."""

    keeper: RetainerKeeper
    commands: RetainerCommands
    report: RetainerReport

    def routes(self) -> list[Route]:
        """Return the routes about retainers."""
        return RetainerApi(self.commands, self.report).routes()

    def tasks(self, tick_seconds: float) -> list[PeriodicTask]:
        """Return what is done by itself."""
        return [PeriodicTask("retainers", tick_seconds, lambda: _discard(self.keeper.run_due()))]


def retainer_parts(
    store: Store, documents: DocumentStore, clock: Clock, *, announced: Callable[[], None]
) -> RetainerParts:
    """Return the parts, joined."""
    return RetainerParts(
        keeper=RetainerKeeper(store, documents, clock, announced),
        commands=RetainerCommands(store, documents, clock, announced),
        report=RetainerReport(store, clock),
    )


def _discard(_count: int) -> None:
    """Tasks return nothing."""
