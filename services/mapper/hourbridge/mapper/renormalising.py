"""New time zone rules: what they would change of work that was charged, and changing it on request.

Charges say by which version of the rules their days came about and keep them. When a government
changes its clocks after work was approved, nothing moves by itself: the difference is listed, and
a person takes it over for what is not billed yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import ChargeSetChanged
from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.common.zones import zones_version
from hourbridge.mapper import records, stored
from hourbridge.mapper.configurations import Configurations, NewVersion
from hourbridge.mapper.fact_changes import announce
from hourbridge.mapper.mapping import MappedRecord
from hourbridge.mapper.publication import charge_set_message
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.stored import StoredRecord

_READ_ONLY = text("SET TRANSACTION READ ONLY")
PAGE_RECORDS = 1000
PROPOSALS_MAX = 10_000

Pair = tuple[StoredRecord, MappedRecord]


class Renormaliser:
    """Compares stored charges with what the rules of today make of their records."""

    def __init__(
        self, store: Store, configurations: Configurations, *, outbox: Outbox, clock: Clock
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._outbox = outbox
        self._clock = clock

    def propose(self, book_name: str) -> dict[str, Any]:
        """Return the differences that today's rules would make; change nothing."""
        found: list[dict[str, Any]] = []
        examined, cursor = 0, ""
        while len(found) < PROPOSALS_MAX:
            with self._store.transaction() as connection:
                connection.execute(_READ_ONLY)
                book = self._configurations.active(connection, book_name)
                batch = _page(connection, book_name, cursor)
                pairs = list(_changed(connection, book_name, book, batch))
            if not batch:
                break
            examined += len(batch)
            cursor = batch[-1].accepted.record_id
            found += [_proposal(before, after) for before, after in pairs]
        return {"tzdata": zones_version(), "examined": examined, "proposals": found}

    def apply(
        self, book_name: str, record_ids: Collection[str], *, actor: str, note: str | None
    ) -> dict[str, Any]:
        """Map the records named by today's rules; return how many changed.

        The book gets a version of its own for it. Posted work keeps what it was posted with:
        a mapping of an unchanged record never touches it.
        """
        with self._store.transaction() as connection:
            book = self._configurations.lock(connection, book_name)
            batch = stored.some(connection, book_name, sorted(record_ids))
            pairs = list(_changed(connection, book_name, book, batch))
            if book is not None and pairs:
                self._take_over(connection, book, pairs, actor, note)
        self._outbox.try_flush()
        return {"tzdata": zones_version(), "examined": len(batch), "changed": len(pairs)}

    def _take_over(
        self,
        connection: Connection,
        book: CompiledBook,
        pairs: list[Pair],
        actor: str,
        note: str | None,
    ) -> None:
        new = NewVersion(
            book.configuration,
            book.version + 1,
            applied_at=self._clock.now(),
            applied_by=actor,
            note=note or f"time zone rules {zones_version()}",
            cause="facts",
        )
        announce(connection, self._configurations, self._outbox, new)
        mapped = [after.under(new.version) for _, after in pairs]
        records.update(connection, mapped, self._clock.now())
        messages = [charge_set_message(item.book, item.change) for item in mapped]
        self._outbox.add(connection, messages)
        audit.write(
            connection,
            actor=actor,
            action="time_renormalised",
            subject=f"book:{book.configuration.book}",
            book=book.configuration.book,
            detail={
                "version": new.version,
                "tzdata": zones_version(),
                "changes": [_proposal(before, after) for before, after in pairs],
            },
        )


def _page(connection: Connection, book: str, cursor: str) -> list[StoredRecord]:
    return stored.under_other_rules(
        connection, book, cursor, tzdata=zones_version(), limit=PAGE_RECORDS
    )


def _changed(
    connection: Connection, book_name: str, book: CompiledBook | None, batch: list[StoredRecord]
) -> Iterator[Pair]:
    mapped = stored.map_again(connection, book_name, book, batch, keep_days=False)
    for before, after in zip(batch, mapped, strict=True):
        if _stints(before.change) != _stints(after.change):
            yield before, after


def _proposal(before: StoredRecord, after: MappedRecord) -> dict[str, Any]:
    entry = before.accepted.state
    spans = [charge.span for charge in before.change.charges if charge.span is not None]
    return {
        "record_id": before.accepted.record_id,
        "source": before.accepted.source,
        "external_id": entry.external_id,
        "staff": entry.staff_name or entry.staff_id if isinstance(entry, TimeEntry) else None,
        "client": before.change.client,
        "project": before.change.project,
        "made_under": spans[0].tzdata if spans else None,
        "before": _stints(before.change),
        "after": _stints(after.change),
        "reasons": [reason.detail for reason in after.change.reasons],
    }


def _stints(change: ChargeSetChanged) -> list[dict[str, Any]]:
    """Return what zone rules decide of a record: days, durations and instants of its parts."""
    found = {
        charge.span.part: {
            "day": charge.work_date.isoformat(),
            "worked_seconds": charge.worked_seconds,
            "started_at": charge.span.started_at and charge.span.started_at.isoformat(),
            "ended_at": charge.span.ended_at and charge.span.ended_at.isoformat(),
        }
        for charge in change.charges
        if charge.span is not None
    }
    return [found[part] for part in sorted(found)]
