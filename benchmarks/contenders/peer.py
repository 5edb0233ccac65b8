"""The straightforward peer: FastStream as its documentation shows it.

The same fan-out over quorum queues, one message and one transaction at a time: a pydantic model,
a SQLAlchemy insert, a persistent message published by decorator. ``python -m
benchmarks.contenders.peer <service>`` runs one of its four services.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import date

from faststream import FastStream
from faststream.rabbit import (
    Channel,
    ExchangeType,
    QueueType,
    RabbitBroker,
    RabbitExchange,
    RabbitQueue,
)
from pydantic import BaseModel
from sqlalchemy import Column, Date, Integer, MetaData, String, Table, create_engine, insert

PREFETCH = int(os.environ.get("PEER_PREFETCH", "10"))
ACCEPTED_BYTES = int(os.environ.get("PEER_ACCEPTED_BYTES", "0"))
CHARGED_BYTES = int(os.environ.get("PEER_CHARGED_BYTES", "0"))

metadata = MetaData()


def message_table(name: str) -> Table:
    """Return the table in which one service keeps what it has handled."""
    return Table(
        name,
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("entry_id", String, nullable=False),
        Column("client", String, nullable=False),
        Column("work_date", Date, nullable=False),
        Column("seconds", Integer, nullable=False),
    )


TABLES = {
    service: message_table(f"peer_{service}")
    for service in ("ingestor", "mapper", "poster", "reconciler")
}
exchange = RabbitExchange("peer.entries", type=ExchangeType.TOPIC, durable=True)


class ReportedEntry(BaseModel):
    """A time entry as an upstream system reports it."""

    id: str
    book: str
    staff: str
    client: str
    project: str
    task: str
    work_date: date
    seconds: int
    notes: str


class AcceptedEntry(ReportedEntry):
    """A time entry that was stored."""

    revision: int


class ChargedEntry(AcceptedEntry):
    """A time entry with its customer and item in the ledger."""

    customer: str
    item: str


def queue(name: str, routing_key: str) -> RabbitQueue:
    """Return a durable quorum queue bound by ``routing_key``."""
    return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True, routing_key=routing_key)


def padded(entry: ReportedEntry, size: int) -> str:
    """Return notes that bring the JSON of ``entry`` to ``size`` bytes."""
    bare = len(entry.model_dump_json()) - len(entry.notes)
    return "n" * max(0, size - bare)


def build(service: str, broker_url: str, database_url: str) -> FastStream:
    """Return the application of one service."""
    broker = RabbitBroker(broker_url, default_channel=Channel(prefetch_count=PREFETCH), logger=None)
    engine = create_engine(database_url, pool_size=20)
    table = TABLES[service]

    def store(entry: ReportedEntry) -> None:
        with engine.begin() as connection:
            connection.execute(
                insert(table).values(
                    entry_id=entry.id,
                    client=entry.client,
                    work_date=entry.work_date,
                    seconds=entry.seconds,
                )
            )

    if service == "ingestor":

        @broker.subscriber(queue("peer.ingestor", "entry.reported"), exchange)
        @broker.publisher(exchange=exchange, routing_key="entry.accepted", persist=True)
        def accept(entry: ReportedEntry) -> AcceptedEntry:
            store(entry)
            accepted = AcceptedEntry(**entry.model_dump(), revision=1)
            return accepted.model_copy(update={"notes": padded(accepted, ACCEPTED_BYTES)})

    elif service == "mapper":

        @broker.subscriber(queue("peer.mapper", "entry.accepted"), exchange)
        @broker.publisher(exchange=exchange, routing_key="entry.charged", persist=True)
        def charge(entry: AcceptedEntry) -> ChargedEntry:
            store(entry)
            charged = ChargedEntry(**entry.model_dump(), customer=entry.client, item=entry.task)
            return charged.model_copy(update={"notes": padded(charged, CHARGED_BYTES)})

    elif service == "poster":

        @broker.subscriber(queue("peer.poster", "entry.charged"), exchange)
        def keep(entry: ChargedEntry) -> None:
            store(entry)

    else:

        @broker.subscriber(queue("peer.reconciler.accepted", "entry.accepted"), exchange)
        def note_accepted(entry: AcceptedEntry) -> None:
            store(entry)

        @broker.subscriber(queue("peer.reconciler.charged", "entry.charged"), exchange)
        def note_charged(entry: ChargedEntry) -> None:
            store(entry)

    application = FastStream(broker, logger=None)

    @application.after_startup
    async def announce() -> None:
        print("ready", flush=True)

    return application


def main() -> None:
    """Run the service named by the first argument until SIGTERM."""
    application = build(sys.argv[1], os.environ["PEER_BROKER_URL"], os.environ["PEER_DATABASE_URL"])
    asyncio.run(application.run())


if __name__ == "__main__":
    main()
