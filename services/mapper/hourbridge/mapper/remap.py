"""Mapping stored records again: after a new configuration, or new facts of a source.

A task is a row with a cursor: each batch is one transaction that maps, stores, puts what changed
into the outbox and moves the cursor. A killed process loses nothing; the next one goes on. What
waits goes first, so that a release is quick however long the rest takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.errors import BusError
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.events import MappingOutcome
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Lease, Leases, ensure_held
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper import records, stored
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.mapping import MappedRecord, same_content
from hourbridge.mapper.metrics import REMAP_OPEN, REMAPPED
from hourbridge.mapper.publication import charge_set_message, in_bulk
from hourbridge.mapper.stored import Scope, StoredRecord

log = structlog.get_logger(__name__)

AFTER_BATCH = declare("mapper.remap_after_batch", "a re-mapping batch committed, not published")
IN_BATCH = declare("mapper.remap_in_batch", "a re-mapping batch stored, not committed")
LEASE = "remap"
LEASE_SECONDS = 60
SLICE_SECONDS = 3

_OPEN = text("SELECT count(*) FROM remap_task WHERE state = 'open'")
_NEXT = text(
    "SELECT book, version, kind, dependencies, phase, cursor FROM remap_task "
    "WHERE state = 'open' ORDER BY phase, created_at, book, version LIMIT 1"
)
_MOVE = text(
    "UPDATE remap_task SET phase = :phase, cursor = :cursor, examined = examined + :examined, "
    "changed = changed + :changed WHERE book = :book AND version = :version AND state = 'open'"
)
_FINISH = text(
    "UPDATE remap_task SET state = 'done', finished_at = now() "
    "WHERE book = :book AND version = :version AND state = 'open'"
)
_SUPERSEDE = text(
    "UPDATE remap_task SET state = 'superseded', finished_at = now() "
    "WHERE book = :book AND state = 'open'"
)
_INSERT = text(
    "INSERT INTO remap_task (book, version, kind, dependencies, phase, state) "
    "VALUES (:book, :version, :kind, CAST(:dependencies AS text[]), 'parked', 'open')"
)
_PROGRESS = text(
    "SELECT version, kind, phase, state, examined, changed, created_at, finished_at "
    "FROM remap_task WHERE book = :book ORDER BY version DESC LIMIT :limit"
)


def start_all(connection: Connection, book: str, version: int) -> None:
    """Let everything stored under an older version be mapped again; replaces what was open."""
    connection.execute(_SUPERSEDE, {"book": book})
    _insert(connection, book, version, "all", [])


def start_for_facts(
    connection: Connection, book: str, version: int, dependencies: Sequence[str]
) -> None:
    """Let what depends on changed facts be mapped again."""
    _insert(connection, book, version, "facts", list(dependencies))


def _insert(
    connection: Connection, book: str, version: int, kind: str, dependencies: list[str]
) -> None:
    parameters = {"book": book, "version": version, "kind": kind, "dependencies": dependencies}
    connection.execute(_INSERT, parameters)


def progress(connection: Connection, book: str, limit: int) -> list[dict[str, Any]]:
    """Return a book's re-mappings, newest first."""
    rows = connection.execute(_PROGRESS, {"book": book, "limit": limit})
    return [dict(row) for row in rows.mappings()]


class Remapper:
    """Works the open tasks, one replica at a time."""

    def __init__(
        self,
        store: Store,
        configurations: Configurations,
        *,
        outbox: Outbox,
        leases: Leases,
        clock: Clock,
        batch_records_max: int = 500,
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._outbox = outbox
        self._leases = leases
        self._clock = clock
        self._batch_records_max = batch_records_max

    def run(self) -> bool:
        """Work open tasks for a while; return whether any is left to this replica.

        Bounded in time so that a stop of the service need not wait for a large book.
        """
        if not self._count_open():
            return False
        lease = self._leases.acquire(LEASE, ttl_seconds=LEASE_SECONDS)
        if lease is None:
            return False
        try:
            return self._work(lease)
        finally:
            self._leases.release(lease)

    def _work(self, lease: Lease) -> bool:
        deadline = self._clock.monotonic_seconds() + SLICE_SECONDS
        while self._work_batch(lease):
            if self._clock.monotonic_seconds() >= deadline:
                return True
            if not self._leases.renew(lease, ttl_seconds=LEASE_SECONDS):
                return False
        self._count_open()
        return False

    def _count_open(self) -> int:
        with self._store.transaction() as connection:
            count = int(connection.execute(_OPEN).scalar_one())
        REMAP_OPEN.set(count)
        return count

    def _work_batch(self, lease: Lease) -> bool:
        """Do one batch of the task that is due; return False when there is none."""
        with self._store.transaction() as connection:
            ensure_held(connection, lease)
            row = connection.execute(_NEXT).mappings().first()
            if row is None:
                return False
            self._remap(connection, Scope(**row))
            fault_point(IN_BATCH)
        fault_point(AFTER_BATCH)
        self._publish()
        return True

    def _publish(self) -> None:
        """Publish what is committed; with the broker away the relay does it later."""
        try:
            self._outbox.flush()
        except BusError as error:
            log.warning("remap_publish_postponed", error=str(error))

    def _remap(self, connection: Connection, task: Scope) -> None:
        book = self._configurations.hold(connection, [task.book])[task.book]
        batch = stored.next_batch(connection, task, limit=self._batch_records_max)
        if book is None or not batch:
            self._turn_over(connection, task)
            return
        mapped = stored.map_again(connection, task.book, book, batch)
        changed = [
            item
            for item, before in zip(mapped, batch, strict=True)
            if not same_content(item.change, before.change)
        ]
        records.update(connection, mapped, self._clock.now())
        self._announce(connection, task, changed, batch)
        REMAPPED.labels("yes").inc(len(changed))
        REMAPPED.labels("no").inc(len(mapped) - len(changed))
        self._move(connection, task, batch, len(changed))

    def _announce(
        self,
        connection: Connection,
        task: Scope,
        changed: Sequence[MappedRecord],
        batch: Sequence[StoredRecord],
    ) -> None:
        """Put changed charge sets into the outbox: released ones as today's events."""
        waited = {
            item.accepted.record_id
            for item in batch
            if item.change.outcome is MappingOutcome.PARKED
        }
        messages = {
            item.accepted.record_id: charge_set_message(
                task.book, item.change, change_json=item.change_json
            )
            for item in changed
        }
        urgent = [message for id, message in messages.items() if id in waited]
        others = [message for id, message in messages.items() if id not in waited]
        self._outbox.add(connection, [*urgent, *in_bulk(others)])

    def _move(
        self, connection: Connection, task: Scope, batch: Sequence[StoredRecord], changed: int
    ) -> None:
        parameters = {
            "book": task.book,
            "version": task.version,
            "phase": task.phase,
            "cursor": batch[-1].accepted.record_id,
            "examined": len(batch),
            "changed": changed,
        }
        connection.execute(_MOVE, parameters)

    def _turn_over(self, connection: Connection, task: Scope) -> None:
        """End a phase: the parked are done, now the rest; or all is done."""
        key = {"book": task.book, "version": task.version}
        if task.phase == "parked":
            start = {"phase": "rest", "cursor": "", "examined": 0, "changed": 0}
            connection.execute(_MOVE, {**key, **start})
        else:
            connection.execute(_FINISH, key)
            log.info("remap_finished", **key)
