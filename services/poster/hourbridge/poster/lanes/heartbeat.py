"""Keeps a lane's lease while its holder lives: a call may take long, a dead holder must not."""

from __future__ import annotations

import threading
from types import TracebackType

import structlog

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.store.leases import Lease, Leases

log = structlog.get_logger(__name__)


class Heartbeat:
    """Renews a lease from a thread of its own, three times per lease, until left."""

    def __init__(self, leases: Leases, lease: Lease, *, ttl_seconds: float) -> None:
        self._leases = leases
        self._lease = lease
        self._ttl_seconds = ttl_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lane-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._ttl_seconds / 3):
            try:
                if not self._leases.renew(self._lease, ttl_seconds=self._ttl_seconds):
                    return  # lost: every write of the holder is fenced and will say so
            except HourbridgeError as error:
                log.warning("lease_not_renewed", lease=self._lease.name, error=str(error))
