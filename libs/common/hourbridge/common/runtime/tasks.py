"""Periodic tasks: a thread each; an error is logged and counted, never fatal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge

from hourbridge.common.errors import HourbridgeError

log = structlog.get_logger(__name__)

TASK_RUNS = Counter(
    "hourbridge_task_runs_total", "Runs of periodic tasks.", ["service", "task", "outcome"]
)
TASK_LAST_SUCCESS = Gauge(
    "hourbridge_task_last_success_timestamp_seconds",
    "When a periodic task last succeeded.",
    ["service", "task"],
)


@dataclass(frozen=True)
class PeriodicTask:
    """A function to call every ``interval_seconds``, and at once after ``wake``."""

    name: str
    interval_seconds: float
    run: Callable[[], None]
    wake_event: threading.Event = field(default_factory=threading.Event, compare=False)

    def wake(self) -> None:
        """Let the next run begin at once; callable from any thread."""
        self.wake_event.set()


class TaskThread:
    """Runs one periodic task until stopped."""

    def __init__(self, service: str, task: PeriodicTask) -> None:
        self._service = service
        self._task = task
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=f"{service}-{task.name}")
        self._thread.daemon = True

    def start(self) -> None:
        """Start the thread; the first run begins at once."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Let the run in progress end, and end the thread."""
        self._stopping.set()
        self._task.wake()
        self._thread.join(timeout_seconds)

    def is_alive(self) -> bool:
        """Return whether the thread runs."""
        return self._thread.is_alive()

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._task.wake_event.clear()
            self._run_once()
            self._task.wake_event.wait(self._task.interval_seconds)

    def _run_once(self) -> None:
        outcome = "failed"
        try:
            self._task.run()
            outcome = "succeeded"
            TASK_LAST_SUCCESS.labels(self._service, self._task.name).set_to_current_time()
        except HourbridgeError as error:
            log.warning("task_failed", task=self._task.name, code=error.code, error=str(error))
        except Exception:  # noqa: BLE001 - a defect in one run must not end the task for good
            log.exception("task_failed", task=self._task.name)
        TASK_RUNS.labels(self._service, self._task.name, outcome).inc()
