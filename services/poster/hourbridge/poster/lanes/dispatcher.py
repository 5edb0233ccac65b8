"""Runs the lanes of all ledgers, each on its own: one slow or broken ledger delays no other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog

from hourbridge.common.book import LedgerBinding
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.store.engine import Store
from hourbridge.connectors.ledger import Ledger
from hourbridge.poster.lanes import lane_store
from hourbridge.poster.lanes.lane import Lane, LaneTools
from hourbridge.poster.lanes.sending import OpenLedger, Sender

log = structlog.get_logger(__name__)


class LaneDispatcher:
    """Finds ledgers with due operations and gives each a thread while it has any."""

    def __init__(
        self, tools: LaneTools, ledgers: OpenLedger, *, lanes_max: int, closed_books_seconds: float
    ) -> None:
        self._tools = tools
        self._ledgers = _Ledgers(ledgers, tools.clock, closed_books_seconds)
        self._threads = ThreadPoolExecutor(lanes_max, thread_name_prefix="ledger-lane")
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def tick(self) -> None:
        """Start the lanes that have something to do and do not run yet; returns at once."""
        for ledger_key in self._due():
            with self._lock:
                if ledger_key in self._running or self._tools.stopping.is_set():
                    continue
                self._running.add(ledger_key)
            self._threads.submit(self._run, ledger_key)

    def run_due(self) -> int:
        """Work every due lane in this thread, one after the other; return the attempts made."""
        return sum(self._lane(ledger_key).run() for ledger_key in self._due())

    def stop(self) -> None:
        """Let the operations in hand end, start no more, release the ledgers."""
        self._tools.stopping.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._ledgers.close()

    def _due(self) -> list[str]:
        with self._tools.store.transaction() as connection:
            return lane_store.due_ledgers(connection, self._tools.clock.now())

    def _lane(self, ledger_key: str) -> Lane:
        return Lane(
            ledger_key, lambda: self._ledgers.sender(self._tools.store, ledger_key), self._tools
        )

    def _run(self, ledger_key: str) -> None:
        try:
            self._lane(ledger_key).run()
        except HourbridgeError as error:
            log.warning("lane_failed", ledger=ledger_key, code=error.code, error=str(error))
        except Exception:  # noqa: BLE001 - a defect in one lane must not end the others
            log.exception("lane_failed", ledger=ledger_key)
        finally:
            with self._lock:
                self._running.discard(ledger_key)


class _Ledgers:
    """Open ledgers by key, with what their senders remember."""

    def __init__(self, open_ledger: OpenLedger, clock: Clock, closed_books_seconds: float) -> None:
        self._open_ledger = open_ledger
        self._clock = clock
        self._closed_books_seconds = closed_books_seconds
        self._senders: dict[str, tuple[Ledger, Sender]] = {}
        self._lock = threading.Lock()

    def sender(self, store: Store, ledger_key: str) -> Sender:
        """Return the sender of a ledger, opening the ledger when it is first needed."""
        with self._lock:
            held = self._senders.get(ledger_key)
        if held is not None:
            return held[1]
        ledger = self._open_ledger(_binding(store, ledger_key))
        sender = Sender(ledger, self._clock, closed_books_seconds=self._closed_books_seconds)
        with self._lock:
            self._senders[ledger_key] = (ledger, sender)
        return sender

    def close(self) -> None:
        """Release all ledgers."""
        with self._lock:
            for ledger, _ in self._senders.values():
                ledger.close()
            self._senders.clear()


def _binding(store: Store, ledger_key: str) -> LedgerBinding:
    with store.transaction() as connection:
        return lane_store.binding(connection, ledger_key)
