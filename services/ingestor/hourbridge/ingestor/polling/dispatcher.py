"""Gives each connection with something due a thread: one slow source holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from hourbridge.common.errors import HourbridgeError
from hourbridge.ingestor.polling import metrics, spans, turns
from hourbridge.ingestor.polling.reader import Reader, ReaderTools
from hourbridge.ingestor.polling.turns import Due

log = structlog.get_logger(__name__)


class Dispatcher:
    """Finds connections with due feeds and reads each in a thread of a bounded number.

    Threads go to today's feeds first. Some are kept from those that only read history.
    """

    def __init__(self, tools: ReaderTools, *, threads_max: int) -> None:
        self._tools = tools
        self._threads_max = threads_max
        self._history_max = max(1, threads_max // 2)
        self._threads = ThreadPoolExecutor(threads_max, thread_name_prefix="poll")
        self._running: dict[str, bool] = {}
        self._lock = threading.Lock()
        self.on_slice: Callable[[], None] = _nothing
        """Called when a reader gives up its thread, so that the next one need not wait."""

    def tick(self) -> None:
        """Start the readers that have something to do, as far as threads go; return at once."""
        for due in self._due():
            with self._lock:
                if not self._may_start(due):
                    continue
                self._running[due.connection] = due.today
            self._threads.submit(self._run, due.connection)

    def run_due(self) -> int:
        """Read every due connection in this thread, one after the other; return the turns taken."""
        return sum(Reader(due.connection, self._tools).run() for due in self._due())

    def stop(self) -> None:
        """Let the pages in hand be stored, start no more, release the sources."""
        self._tools.stopping.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._tools.sources.close()

    def measure(self) -> None:
        """Set the gauges."""
        now = self._tools.clock.now()
        with self._tools.store.transaction() as connection:
            since = turns.overdue_since(connection, now)
            metrics.SPANS_OPEN.set(spans.count_open(connection))
        metrics.OVERDUE.set(0 if since is None else (now - since).total_seconds())

    def _may_start(self, due: Due) -> bool:
        if due.connection in self._running or self._tools.stopping.is_set():
            return False
        if len(self._running) >= self._threads_max:
            return False
        history = sum(not today for today in self._running.values())
        return due.today or history < self._history_max

    def _due(self) -> list[Due]:
        with self._tools.store.transaction() as connection:
            found = turns.due(connection, self._tools.clock.now())
        if not found:
            return []
        usable = self._tools.sources.usable()
        return [due for due in found if due.connection in usable]

    def _run(self, name: str) -> None:
        try:
            Reader(name, self._tools).run()
        except HourbridgeError as error:
            log.warning("poll_reader_failed", connection=name, code=error.code, error=str(error))
        except Exception:  # noqa: BLE001 - a defect in one reader must not end the others
            log.exception("poll_reader_failed", connection=name)
        finally:
            with self._lock:
                self._running.pop(name, None)
            self.on_slice()


def _nothing() -> None:
    """Do nothing."""
