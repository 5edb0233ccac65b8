"""Years of history by SQL: millions of rows beside those that really flowed.

Every table that holds a row per record is filled by repeating the rows of a real run with ids of
their own; old charges are billed, as they would be. Texts of old states and payloads are cut
short, since nothing reads them when new records come in; keys, dates and indexes are whole.
Indexes are dropped for the load and built again, then everything is vacuumed and analyzed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, text

_CHUNK_ROWS = 500_000
_RECORD = "md5('record' || n)::uuid"
_CHARGE = "md5('charge' || n)::uuid::text"


@dataclass(frozen=True)
class HistoryTable:
    """A table, and what differs from row to row; all other columns are a real row's."""

    schema: str
    name: str
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """Return the name with its schema."""
        return f"{self.schema}.{self.name}"


_OF_RECORD = {"record_id": f"{_RECORD}::text"}
_DAY = "s.work_date - (n % 1500)::int"
TABLES = (
    HistoryTable(
        "ingestor",
        "record",
        {
            "record_id": _RECORD,
            "external_id": "'history-' || n",
            "sequence": "-n",
            "on_date": "s.on_date - (n % 1500)::int",
            "state": "'{}'",
        },
    ),
    HistoryTable(
        "ingestor",
        "received_payload",
        {
            "payload_id": "md5('payload' || n)::uuid",
            "received_at": "s.received_at - make_interval(secs => n)",
            "body": "'{}'",
            "event_id": "'history-' || n",
        },
    ),
    HistoryTable(
        "mapper",
        "mapped_record",
        {**_OF_RECORD, "sequence": "-n", "work_date": _DAY, "state": "'{}'", "charge_set": "'{}'"},
    ),
    HistoryTable("poster", "charge_set", _OF_RECORD),
    HistoryTable(
        "poster",
        "charge",
        {
            **_OF_RECORD,
            "charge_id": _CHARGE,
            "state": "'billed'",
            "work_date": _DAY,
            "payload": "'{}'",
        },
    ),
    HistoryTable("reconciler", "seen_record", {**_OF_RECORD, "sequence": "-n", "work_date": _DAY}),
    HistoryTable("reconciler", "seen_charge_set", {**_OF_RECORD, "work_date": _DAY}),
    HistoryTable(
        "reconciler", "seen_charge", {**_OF_RECORD, "charge_id": _CHARGE, "work_date": _DAY}
    ),
)


def load(engine: Engine, rows: int) -> None:
    """Add ``rows`` records of history to every table; ``engine`` is a superuser's."""
    with engine.connect() as connection:
        for table in TABLES:
            with _without_indexes(connection, table):
                _fill(connection, table, rows)
            connection.execute(text(f"VACUUM (ANALYZE) {table.full_name}"))
        connection.execute(text("CHECKPOINT"))


def _fill(connection: Connection, table: HistoryTable, rows: int) -> None:
    columns = _columns(connection, table)
    values = ", ".join(table.columns.get(column, f"s.{column}") for column in columns)
    connection.execute(
        text(
            f"CREATE TEMP TABLE seed AS SELECT row_number() OVER () - 1 AS seed_number, * "
            f"FROM {table.full_name} LIMIT 5000"
        )
    )
    connection.execute(text("CREATE INDEX ON seed (seed_number)"))
    connection.execute(text("ANALYZE seed"))
    seeds = connection.execute(text("SELECT count(*) FROM seed")).scalar_one()
    statement = text(
        f"INSERT INTO {table.full_name} ({', '.join(columns)}) SELECT {values} "
        "FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n "
        f"JOIN seed s ON s.seed_number = n % {seeds}"
    )
    for first in range(1, rows + 1, _CHUNK_ROWS):
        last = min(rows, first + _CHUNK_ROWS - 1)
        connection.execute(statement, {"first": first, "last": last})
    connection.execute(text("DROP TABLE seed"))


def _columns(connection: Connection, table: HistoryTable) -> list[str]:
    found = connection.execute(
        text(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = :schema AND table_name = :name "
            "AND is_identity = 'NO' AND is_generated = 'NEVER' ORDER BY ordinal_position"
        ),
        {"schema": table.schema, "name": table.name},
    )
    return list(found.scalars())


@contextmanager
def _without_indexes(connection: Connection, table: HistoryTable) -> Iterator[None]:
    """Drop a table's keys and indexes for the time of the block."""
    where = {"table": table.full_name}
    constraints = connection.execute(
        text(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = CAST(:table AS regclass) AND contype IN ('p', 'u')"
        ),
        where,
    ).all()
    indexes = connection.execute(
        text(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
            "WHERE i.indrelid = CAST(:table AS regclass) AND NOT EXISTS "
            "(SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)"
        ),
        where,
    ).all()
    for name, _ in constraints:
        connection.execute(text(f'ALTER TABLE {table.full_name} DROP CONSTRAINT "{name}"'))
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    connection.execute(text("SET maintenance_work_mem TO '512MB'"))
    for name, definition in constraints:
        connection.execute(
            text(f'ALTER TABLE {table.full_name} ADD CONSTRAINT "{name}" {definition}')
        )
    for _, definition in indexes:
        connection.execute(text(definition))
