"""Runs the list lanes of all systems, each on its own, apart from the documents' lanes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from hourbridge.common.book import LedgerBinding
from hourbridge.common.errors import ConfigurationInvalid, HourbridgeError
from hourbridge.common.messages.events import ListChangeRequested
from hourbridge.connectors.list_writer import ListWriter
from hourbridge.connectors.marking import Marker
from hourbridge.poster.lists import operation_store
from hourbridge.poster.lists.lane import ListLane, ListLaneTools
from hourbridge.poster.lists.requests import SOURCE_PREFIX
from hourbridge.poster.lists.sending import ListSender

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OpenTargets:
    """How the systems are opened that lists are written to; opening makes no call."""

    ledger: Callable[[LedgerBinding], ListWriter]
    source: Callable[[str], ListWriter]
    """By the name of the source connection."""
    marker: Callable[[str], Marker]
    """By the name of the source connection."""


def _nowhere(_target: object) -> ListWriter:
    raise ConfigurationInvalid("this poster writes no lists")


def _nobody(_connection: str) -> Marker:
    raise ConfigurationInvalid("this poster tells no source what it posted")


NOWHERE = OpenTargets(_nowhere, _nowhere, _nobody)
"""For posters in front of ledgers that have no lists."""


class ListDispatcher:
    """Finds systems with due list changes and gives each a thread while it has any."""

    def __init__(self, tools: ListLaneTools, targets: OpenTargets, *, lanes_max: int) -> None:
        self._tools = tools
        self._targets = targets
        self._threads = ThreadPoolExecutor(lanes_max, thread_name_prefix="list-lane")
        self._running: set[str] = set()
        self._senders: dict[str, ListSender] = {}
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Start the lanes that have something to do and do not run yet; returns at once."""
        for lane_key in self._due():
            with self._lock:
                if lane_key in self._running or self._tools.stopping.is_set():
                    continue
                self._running.add(lane_key)
            self._threads.submit(self._run, lane_key)

    def run_due(self) -> int:
        """Work every due lane in this thread, one after the other; return the attempts made."""
        return sum(self._lane(lane_key).run() for lane_key in self._due())

    def stop(self) -> None:
        """Let the changes in hand end, start no more, release the systems."""
        self._tools.stopping.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for sender in self._senders.values():
                sender.close()
            self._senders.clear()

    def _due(self) -> list[str]:
        with self._tools.store.transaction() as connection:
            return operation_store.due_lanes(connection, self._tools.clock.now())

    def _lane(self, lane_key: str) -> ListLane:
        return ListLane(lane_key, lambda: self._sender(lane_key), self._tools)

    def _run(self, lane_key: str) -> None:
        try:
            self._lane(lane_key).run()
        except HourbridgeError as error:
            log.warning("list_lane_failed", lane=lane_key, code=error.code, error=str(error))
        except Exception:  # noqa: BLE001 - a defect in one lane must not end the others
            log.exception("list_lane_failed", lane=lane_key)
        finally:
            with self._lock:
                self._running.discard(lane_key)

    def _sender(self, lane_key: str) -> ListSender:
        """Return the sender of a system; what it opens it opens when it is first needed."""
        with self._lock:
            held = self._senders.get(lane_key)
        if held is not None:
            return held
        sender = self._opened(lane_key)
        with self._lock:
            self._senders[lane_key] = sender
        return sender

    def _opened(self, lane_key: str) -> ListSender:
        if lane_key.startswith(SOURCE_PREFIX):
            name = lane_key.removeprefix(SOURCE_PREFIX)
            return ListSender(
                lambda: self._targets.source(name), lambda: self._targets.marker(name)
            )
        with self._tools.store.transaction() as connection:
            request = operation_store.any_request(connection, lane_key)
        binding = ListChangeRequested.model_validate(request).target.ledger
        if binding is None:
            raise ConfigurationInvalid("a lane of lists names no ledger", lane=lane_key)
        return ListSender(lambda: self._targets.ledger(binding), lambda: _nobody(lane_key))
