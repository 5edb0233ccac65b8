"""The parts of the mapper that keep lists in step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.ids import random_id
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.ledger_check import LedgerOpener
from hourbridge.mapper.lists.actions import ListActions
from hourbridge.mapper.lists.auditing import Auditor
from hourbridge.mapper.lists.planner import ListPlanner
from hourbridge.mapper.lists.routes import ListsApi
from hourbridge.mapper.lists.showing import ListsShown
from hourbridge.mapper.settings import MapperSettings


@dataclass(frozen=True)
class ListParts:
    """What the service runs of it."""

    task: PeriodicTask
    routes: Sequence[Route]


def build_lists(
    settings: MapperSettings,
    store: Store,
    configurations: Configurations,
    outbox: Outbox,
    clock: Clock,
    *,
    opener: LedgerOpener,
    linked: Callable[[], None],
) -> ListParts:
    """Return the task and routes; ``linked`` is told when mapping has something new to map."""
    planner = ListPlanner(
        store,
        configurations,
        outbox=outbox,
        leases=Leases(store, random_id()),
        clock=clock,
        linked=linked,
    )
    task = PeriodicTask("lists", settings.mapper_lists_interval_seconds, planner.run)
    actions = ListActions(store, configurations, outbox=outbox, clock=clock, changed=task.wake)
    auditor = Auditor(store, configurations, opener)
    api = ListsApi(ListsShown(store, configurations), actions, auditor)
    return ListParts(task, api.routes())
