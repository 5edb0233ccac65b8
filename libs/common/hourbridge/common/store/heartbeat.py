"""Keeps a lease while its holder lives: work may take long, a dead holder must not keep it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.store.leases import Lease, Leases

log = structlog.get_logger(__name__)


@contextmanager
def kept_alive(leases: Leases, lease: Lease, *, ttl_seconds: float) -> Iterator[None]:
    """Renew a lease from a thread of its own, three times per lease, while the block runs."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(ttl_seconds / 3):
            try:
                if not leases.renew(lease, ttl_seconds=ttl_seconds):
                    return  # lost: every write of the holder is fenced and will say so
            except HourbridgeError as error:
                log.warning("lease_not_renewed", lease=lease.name, error=str(error))

    thread = threading.Thread(target=beat, name="lease-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
