"""The payroll export: worked time by person and day, as a table for the payroll system."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import text

from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.money import EXACT
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.mapper import facts, stored
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.remembered import decided_folds
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.payroll import PaidStint, for_payroll, paid_stints
from hourbridge.mapper.rules.subject import NO_FACTS, subject_of
from hourbridge.mapper.rules.work_time import Remembered
from hourbridge.mapper.stored import StoredRecord

Per = Literal["day", "entry"]
PAGE_RECORDS = 1000
_LONGEST_ENTRY = timedelta(days=31)
"""Entries that were stated for a day so long before or after may reach into the period."""
_READ_ONLY = text("SET TRANSACTION READ ONLY")
_HOUR, _HOURS_UNIT = Decimal(3600), Decimal("0.0001")
_COLUMNS = (
    *("staff_id", "staff", "day", "day_of", "zone", "entry_type", "payroll_category"),
    *("payroll_item", "worked_seconds", "worked", "hours", "entries", "doubt"),
)
_OF_ENTRIES = ("source", "external_id", "client", "project", "task")


@dataclass(frozen=True)
class Period:
    """Local days, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


class Payroll:
    """Reads stored entries; never what was billed of them."""

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations

    def export(self, book_name: str, period: Period, per: Per) -> Iterator[str]:
        """Yield the table as CSV: a row for each person and day, or for each entry and day.

        Raises NotFound, before anything is yielded, for a book without a configuration.
        """
        with self._store.transaction() as connection:
            active = self._configurations.active(connection, book_name)
        if active is None:
            raise NotFound("the book has no configuration", book=book_name)
        rows = self._rows(for_payroll(active), period)
        return _lines(_by_day(rows) if per == "day" else rows, per)

    def _rows(self, book: CompiledBook, period: Period) -> Iterator[dict[str, Any]]:
        cursor = ""
        name = book.configuration.book
        while True:
            with self._store.transaction() as connection:
                connection.execute(_READ_ONLY)
                batch = stored.of_time(
                    connection,
                    name,
                    cursor,
                    first=period.first - _LONGEST_ENTRY,
                    last=period.last + _LONGEST_ENTRY,
                    limit=PAGE_RECORDS,
                )
                owned = (((name, item.accepted.source), item.accepted.state) for item in batch)
                known = facts.known_facts(connection, owned)
                keyed = (((name, i.accepted.record_id), i.accepted.state) for i in batch)
                folds = decided_folds(connection, keyed)
            if not batch:
                return
            for item in batch:
                own = known.get((name, item.accepted.source), NO_FACTS)
                remembered = Remembered(folds.get((name, item.accepted.record_id)))
                yield from _rows_of(book, item, own, remembered, period)
            cursor = batch[-1].accepted.record_id


def _rows_of(
    book: CompiledBook, item: StoredRecord, known: Any, remembered: Remembered, period: Period
) -> Iterator[dict[str, Any]]:
    accepted = item.accepted
    entry = accepted.state
    if not isinstance(entry, TimeEntry):
        return
    subject = subject_of(entry, known)
    made = replace(remembered, made=item.change.charges)
    for stint in paid_stints(book, accepted.source, entry, subject, made):
        if stint.day in period and stint.worked_seconds:
            yield {
                **_columns(stint),
                "source": accepted.source,
                "external_id": entry.external_id,
                "client": item.change.client,
                "project": item.change.project,
                "task": subject.task.label,
            }


def _columns(stint: PaidStint) -> dict[str, Any]:
    return {
        "staff_id": stint.staff_id,
        "staff": stint.staff,
        "day": stint.day.isoformat(),
        "day_of": stint.day_of,
        "zone": stint.zone,
        "entry_type": stint.entry_type,
        "payroll_category": stint.category,
        "payroll_item": stint.item,
        "worked_seconds": stint.worked_seconds,
        "entries": 1,
        "doubt": stint.doubt,
    }


def _by_day(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add up what one person did on one day under one heading; in that order."""
    sums: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(
            row[name] or ""
            for name in _COLUMNS
            if name not in ("worked_seconds", "worked", "hours", "entries", "staff")
        )
        held = sums.get(key)
        if held is None:
            sums[key] = dict(row)
        else:
            held["worked_seconds"] += row["worked_seconds"]
            held["entries"] += 1
    return [sums[key] for key in sorted(sums)]


def _lines(rows: Iterable[dict[str, Any]], per: Per) -> Iterator[str]:
    columns = _COLUMNS if per == "day" else (*_COLUMNS, *_OF_ENTRIES)
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        seconds = row["worked_seconds"]
        writer.writerow({**row, "worked": _clock(seconds), "hours": _hours(seconds)})
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _clock(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _hours(seconds: int) -> str:
    """Return decimal hours for reading; the exact time stands in seconds beside them."""
    return str(EXACT.divide(Decimal(seconds), _HOUR).quantize(_HOURS_UNIT))
