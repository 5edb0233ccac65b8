"""The floor: Hourbridge's hops, fan-out, queues and batches, and no logic at all.

Four processes on the topology and through the bus of Hourbridge. Each takes a batch, inserts one
small row per message in one statement, commits, publishes what follows with pipelined confirms,
and acknowledges. Bodies have the size of Hourbridge's own and are never read.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import create_engine, text

from benchmarks.children import Child, Children, log_to_standard_error, until_terminated
from benchmarks.contenders.base import Finish, Progress
from benchmarks.servers import Room
from benchmarks.workload import Sizes
from hourbridge.common.bus.adapter import Delivery, Outgoing
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import QUEUES, SERVICES, build_topology
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import CHARGE_SET_CHANGED, EVENTS_EXCHANGE, accepted_type
from hourbridge.common.store.engine import Store
from hourbridge.common.store.provision import provision
from hourbridge.common.store.rows import bulk

BATCH_MESSAGES_MAX = 500
PREFETCH = 1000
LINGER_SECONDS = 0.005
_ACCEPTED = accepted_type(RecordType.TIME_ENTRY)
_FOLLOWS = {"ingestor": _ACCEPTED, "mapper": CHARGE_SET_CHANGED}
_CREATE = text(
    "CREATE TABLE floor_message ("
    "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id text, book text)"
)
_INSERT = text(
    "INSERT INTO floor_message (message_id, book) SELECT message_id, book "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(message_id text, book text)"
)
_COUNTS = text(
    "SELECT (SELECT count(*) FROM poster.floor_message), "
    "(SELECT count(*) FROM reconciler.floor_message)"
)
_FINISH = """
    SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {schema}.floor_message
    WHERE message_id LIKE :run ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True)
class _Job:
    broker_url: str
    database_url: str
    service: str
    body_bytes: int


class _Hop:
    """One service's loop, without logic."""

    def __init__(self, job: _Job) -> None:
        self._store = Store(job.database_url, job.service)
        self._bus = RabbitBus(job.broker_url, name=f"floor-{job.service}")
        self._subscription = self._bus.subscribe(QUEUES[job.service].work, prefetch=PREFETCH)
        self._follows = _FOLLOWS.get(job.service)
        self._body = b"x" * job.body_bytes

    def run(self) -> None:
        """Handle batches for ever."""
        while True:
            batch = self._subscription.fetch(BATCH_MESSAGES_MAX, 1.0, LINGER_SECONDS)
            if batch:
                self._handle(batch)

    def _handle(self, batch: Sequence[Delivery]) -> None:
        with self._store.transaction() as connection:
            rows = [
                {"message_id": delivery.message_id, "book": delivery.headers.get("book")}
                for delivery in batch
            ]
            bulk(connection, _INSERT, rows)
        if self._follows:
            self._bus.publish([self._outgoing(delivery, self._follows) for delivery in batch])
        self._subscription.acknowledge(batch)

    def _outgoing(self, delivery: Delivery, message_type: str) -> Outgoing:
        return Outgoing(
            exchange=EVENTS_EXCHANGE,
            routing_key=message_type.removeprefix("hourbridge."),
            body=self._body,
            message_id=delivery.message_id or "",
            type=message_type,
            headers={"book": delivery.headers.get("book", "")},
        )


class Floor:
    """The four processes of the floor."""

    name = "floor"
    dialect = "hourbridge"

    def __init__(self, room: Room, sizes: Sizes) -> None:
        self.broker_url = room.broker_url
        self.children = Children()
        self._engine = create_engine(room.database_url, isolation_level="AUTOCOMMIT")
        self._prepare(room)
        bodies = {"ingestor": sizes.accepted, "mapper": sizes.charge_set}
        self.services: list[Child] = []
        for service in SERVICES:
            job = _Job(room.broker_url, room.database_url, service, bodies.get(service, 0))
            self.services.append(
                self.children.start(service, ["-m", __name__, json.dumps(asdict(job))])
            )
        for child in self.services:
            child.await_line("ready")

    def _prepare(self, room: Room) -> None:
        provision(room.database_url)
        for service in SERVICES:
            store = Store(room.database_url, service, pool_size=1)
            with store.transaction() as connection:
                connection.execute(_CREATE)
            store.close()
        bus = RabbitBus(room.broker_url, name="floor-topology")
        bus.apply(build_topology())
        bus.close()

    def stored(self) -> Progress:
        """Return how many messages each last consumer has stored."""
        with self._engine.connect() as connection:
            poster, reconciler = connection.execute(_COUNTS).one()
        return Progress(poster, reconciler)

    def finished_at(self, run: str, /) -> Finish:
        """Return when the last message of ``run`` was committed."""
        with self._engine.connect() as connection:
            poster, reconciler = (
                float(
                    connection.execute(
                        text(_FINISH.format(schema=schema)), {"run": f"ev-{run}-%"}
                    ).scalar_one()
                )
                for schema in ("poster", "reconciler")
            )
        return Finish(poster, reconciler)

    def stop(self) -> None:
        """End the processes."""
        self.children.stop()
        self._engine.dispose()


def main() -> None:
    """Run one hop, described by the first argument, until SIGTERM."""
    log_to_standard_error()
    hop = _Hop(_Job(**json.loads(sys.argv[1])))
    threading.Thread(target=hop.run, daemon=True).start()
    print("ready", flush=True)
    until_terminated()


if __name__ == "__main__":
    main()
