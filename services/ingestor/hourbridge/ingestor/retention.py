"""Received payloads: a partition per month, dropped whole after the retention."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import Connection, text

from hourbridge.ingestor import conflicts, metrics

_PARTITIONS = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = 'received_payload'::regclass "
    "AND c.relname ~ '^received_payload_[0-9]{6}$'"
)
_FORGET_EVENTS = text("DELETE FROM received_event WHERE received_at < :oldest")
_FORGET_STRAYS = text("DELETE FROM received_payload_default WHERE received_at < :oldest")
_IN_DEFAULT = text(
    "SELECT 1 FROM received_payload_default "
    "WHERE received_at >= :first AND received_at < :following LIMIT 1"
)
_MONTHS_AHEAD = 2


def maintain(connection: Connection, now: datetime, *, retention_days: int) -> None:
    """Create the coming months' partitions; forget what is older than the retention."""
    existing = set(connection.execute(_PARTITIONS).scalars())
    month = now.date().replace(day=1)
    for _ in range(_MONTHS_AHEAD + 1):
        following = (month + timedelta(days=32)).replace(day=1)
        if _name(month) not in existing and not _is_begun(connection, month, following):
            connection.execute(
                text(
                    f"CREATE TABLE {_name(month)} PARTITION OF received_payload "
                    f"FOR VALUES FROM ('{month}') TO ('{following}')"
                )
            )
        month = following
    oldest = now - timedelta(days=retention_days)
    for name in sorted(existing):
        if name < _name(oldest.date()):
            connection.execute(text(f"DROP TABLE {name}"))
    connection.execute(_FORGET_STRAYS, {"oldest": oldest})
    connection.execute(_FORGET_EVENTS, {"oldest": oldest})
    metrics.CONFLICTS_OPEN.set(conflicts.count_open(connection))


def _is_begun(connection: Connection, first: date, following: date) -> bool:
    """Return whether the default partition holds rows of a month: it then keeps them."""
    found = connection.execute(_IN_DEFAULT, {"first": first, "following": following}).scalar()
    return found is not None


def _name(month: date) -> str:
    return f"received_payload_{month:%Y%m}"
