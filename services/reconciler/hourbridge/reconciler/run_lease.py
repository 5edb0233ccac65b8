"""The lease of one reconciliation: kept alive while it runs, free soon after its process dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError, TransientFailure
from hourbridge.common.ids import random_id
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Lease, Leases

log = structlog.get_logger(__name__)

LEASE_SECONDS = 30
RENEW_SECONDS = 10
_RETRY_SECONDS = 0.5


class ReconciliationRunning(TransientFailure):
    """Somebody else reconciles this book just now."""

    code = "reconciliation_running"
    advice = "Ask again in a moment; the run in progress reports for all."


@contextmanager
def run_lease(store: Store, clock: Clock, book: str, *, wait_seconds: float) -> Iterator[Lease]:
    """Hold the right to reconcile ``book`` for a block, also against threads of this process.

    Waits for another run to end, or its lease to expire; raises ReconciliationRunning past that.
    The holder must still check the fence in the transaction that stores its conclusions.
    """
    leases = Leases(store, random_id())
    lease = _acquire(leases, clock, book, wait_seconds)
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(leases, lease, ended), daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        ended.set()
        keeper.join()
        leases.release(lease)


def _acquire(leases: Leases, clock: Clock, book: str, wait_seconds: float) -> Lease:
    name = f"reconcile:{book}"
    for _ in range(int(wait_seconds / _RETRY_SECONDS)):
        lease = leases.acquire(name, ttl_seconds=LEASE_SECONDS)
        if lease is not None:
            return lease
        clock.sleep(_RETRY_SECONDS)
    lease = leases.acquire(name, ttl_seconds=LEASE_SECONDS)
    if lease is None:
        raise ReconciliationRunning("a reconciliation of this book is under way", book=book)
    return lease


def _keep(leases: Leases, lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(RENEW_SECONDS):
        try:
            if not leases.renew(lease, ttl_seconds=LEASE_SECONDS):
                return
        except HourbridgeError as error:
            log.warning("lease_not_renewed", lease=lease.name, error=str(error))
