"""Published exchange rates in PostgreSQL: records are added, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping

from hourbridge.common.exchange_rates import (
    PublishedRate,
    RateProvider,
    RateRecord,
    new_revision,
)
from hourbridge.common.store.rows import bulk, statement

_RATES_AT_ONCE = 5000
_LOCK = statement(
    "SELECT pg_advisory_xact_lock(hashtextextended('rates' || chr(31) || :source, 0))"
)
_KNOWN = statement(
    """
    SELECT e.* FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(currency text, rate_date date)
    JOIN exchange_rate e ON e.source = :source AND e.pivot = :pivot
        AND e.currency = r.currency AND e.rate_date = r.rate_date
    """
)
_INSERT = statement(
    """
    INSERT INTO exchange_rate
        (source, pivot, currency, rate_date, revision, value, published_at, fetched_at)
    SELECT :source, :pivot, r.currency, r.rate_date, r.revision, r.value,
        CAST(:published_at AS timestamptz), :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        currency text, rate_date date, revision integer, value numeric)
    """
)
_BETWEEN = statement(
    """
    SELECT * FROM exchange_rate
    WHERE source = :source AND pivot = :pivot AND currency = ANY(:currencies)
        AND rate_date BETWEEN :first AND :last
    """
)
_LIST = statement(
    """
    SELECT * FROM exchange_rate
    WHERE (CAST(:source AS text) IS NULL OR source = :source)
        AND (CAST(:currency AS text) IS NULL OR currency = :currency)
        AND (CAST(:first AS date) IS NULL OR rate_date >= :first)
        AND (CAST(:last AS date) IS NULL OR rate_date <= :last)
    ORDER BY rate_date DESC, source, currency, revision DESC LIMIT :limit
    """
)
_NEWEST_DAY = statement(
    "SELECT max(rate_date) FROM exchange_rate WHERE source = :source AND pivot = :pivot"
)


@dataclass
class Imported:
    """What a reading of a source added."""

    new: int = 0
    corrected: int = 0
    known: int = 0
    first_date: date | None = None
    last_date: date | None = None

    @property
    def is_change(self) -> bool:
        """Return whether any record was added."""
        return bool(self.new or self.corrected)


def import_rates(
    connection: Connection,
    provider: RateProvider,
    *,
    now: datetime,
    published_at: datetime | None = None,
    since: date | None = None,
) -> Imported:
    """Add what a source states and was not known; return how much that was.

    A rate that differs from the known one of its day becomes a correction beside it. Raises
    RatesInvalid, with nothing taken.
    """
    connection.execute(_LOCK, {"source": provider.source})
    imported = Imported()
    rates = (rate for rate in provider.rates() if since is None or rate.rate_date >= since)
    named = {"source": provider.source, "pivot": provider.pivot}
    while portion := list(islice(rates, _RATES_AT_ONCE)):
        rows = list(_additions(connection, portion, named, published_at, imported))
        if rows:
            bulk(connection, _INSERT, rows, now=now, published_at=published_at, **named)
    return imported


def _additions(
    connection: Connection,
    portion: Sequence[PublishedRate],
    named: dict[str, str],
    published_at: datetime | None,
    imported: Imported,
) -> Iterator[dict[str, Any]]:
    keys = [{"currency": rate.currency, "rate_date": rate.rate_date} for rate in portion]
    known: dict[tuple[str, date], list[RateRecord]] = {}
    for row in bulk(connection, _KNOWN, keys, **named).mappings():
        known.setdefault((row["currency"], row["rate_date"]), []).append(_record(row))
    for rate in portion:
        records = known.get((rate.currency, rate.rate_date), ())
        revision = new_revision(records, rate.value, published_at)
        _count(imported, rate, revision)
        if revision is not None:
            yield {
                "currency": rate.currency,
                "rate_date": rate.rate_date,
                "revision": revision,
                "value": str(rate.value),
            }


def _count(imported: Imported, rate: PublishedRate, revision: int | None) -> None:
    if revision is None:
        imported.known += 1
    elif revision == 1:
        imported.new += 1
    else:
        imported.corrected += 1
    day = rate.rate_date
    imported.first_date = min(day, imported.first_date or day)
    imported.last_date = max(day, imported.last_date or day)


def between(
    connection: Connection,
    source: str,
    pivot: str,
    currencies: Sequence[str],
    *,
    first: date,
    last: date,
) -> list[RateRecord]:
    """Return every record of some currencies and days, corrections included."""
    parameters = {
        "source": source,
        "pivot": pivot,
        "currencies": list(currencies),
        "first": first,
        "last": last,
    }
    return [_record(row) for row in connection.execute(_BETWEEN, parameters).mappings()]


def newest_day(connection: Connection, source: str, pivot: str) -> date | None:
    """Return the last day that a source has published rates for."""
    parameters = {"source": source, "pivot": pivot}
    found: date | None = connection.execute(_NEWEST_DAY, parameters).scalar()
    return found


def listed(
    connection: Connection,
    *,
    source: str | None = None,
    currency: str | None = None,
    first: date | None = None,
    last: date | None = None,
    limit: int,
) -> list[RateRecord]:
    """Return the newest records that fit, corrections before what they corrected."""
    parameters = {
        "source": source,
        "currency": currency,
        "first": first,
        "last": last,
        "limit": limit,
    }
    return [_record(row) for row in connection.execute(_LIST, parameters).mappings()]


def _record(row: RowMapping) -> RateRecord:
    return RateRecord(
        source=row["source"],
        pivot=row["pivot"],
        currency=row["currency"],
        rate_date=row["rate_date"],
        revision=row["revision"],
        value=row["value"],
        published_at=row["published_at"],
        fetched_at=row["fetched_at"],
    )
