"""Starts and watches the four processes of the straightforward peer."""

from __future__ import annotations

from sqlalchemy import create_engine, func, select, text

from benchmarks.children import Child, Children
from benchmarks.contenders.base import Finish, Progress
from benchmarks.contenders.peer import TABLES, metadata
from benchmarks.servers import Room
from benchmarks.workload import Sizes

_FINISH = """
    SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM {table}
    WHERE entry_id LIKE :run
"""


class Peer:
    """The four processes of the straightforward peer."""

    name = "peer"
    dialect = "peer"

    def __init__(self, room: Room, sizes: Sizes, *, prefetch: int = 10) -> None:
        self.broker_url = room.broker_url
        self.children = Children()
        self._engine = create_engine(room.database_url, isolation_level="AUTOCOMMIT")
        metadata.create_all(self._engine)
        environment = {
            "PEER_BROKER_URL": room.broker_url,
            "PEER_DATABASE_URL": room.database_url,
            "PEER_PREFETCH": str(prefetch),
            "PEER_ACCEPTED_BYTES": str(sizes.accepted),
            "PEER_CHARGED_BYTES": str(sizes.charge_set),
        }
        self.services: list[Child] = []
        for service in reversed(TABLES):  # consumers first, so that every publisher meets queues
            child = self.children.start(
                service, ["-m", "benchmarks.contenders.peer", service], environment
            )
            child.await_line("ready")
            self.services.append(child)

    def stored(self) -> Progress:
        """Return how many messages each last consumer has stored."""
        with self._engine.connect() as connection:
            poster, reconciler = (
                connection.execute(select(func.count()).select_from(TABLES[name])).scalar_one()
                for name in ("poster", "reconciler")
            )
        return Progress(poster, reconciler)

    def finished_at(self, run: str, /) -> Finish:
        """Return when the last message of ``run`` was committed."""
        with self._engine.connect() as connection:
            poster, reconciler = (
                float(
                    connection.execute(
                        text(_FINISH.format(table=TABLES[name].name)), {"run": f"{run}-%"}
                    ).scalar_one()
                )
                for name in ("poster", "reconciler")
            )
        return Finish(poster, reconciler)

    def stop(self) -> None:
        """End the processes."""
        self.children.stop()
        self._engine.dispose()
