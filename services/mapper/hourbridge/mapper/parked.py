"""Parked records: what waits, for what, since when; and mapping one again on request."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import MappingOutcome
from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper import records, stored
from hourbridge.mapper.configurations import Configurations, NewVersion
from hourbridge.mapper.fact_changes import APPLIED_BY, announce
from hourbridge.mapper.mapping import MappedRecord, same_content
from hourbridge.mapper.metrics import PARKED
from hourbridge.mapper.publication import charge_set_message
from hourbridge.mapper.remembered import Decision, decide_folds
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.moments import WAITS_FOR, Folds
from hourbridge.mapper.stored import StoredRecord

_FILTER = (
    "outcome = 'parked' AND (CAST(:book AS text) IS NULL OR book = :book) "
    "AND (CAST(:waits_for AS text) IS NULL OR waits_for @> ARRAY[CAST(:waits_for AS text)])"
)
_LIST = text(
    "SELECT record_id, book, record_type, source, reason_code, waits_for, outcome_since, "
    "work_date, charge_set::jsonb->'reasons' AS reasons, charge_set::jsonb->>'client' AS client, "
    "charge_set::jsonb->>'project' AS project "
    f"FROM mapped_record WHERE {_FILTER} ORDER BY outcome_since, book, record_id LIMIT :limit"
)
_COUNTS = text(
    "SELECT key, count(*) AS records FROM mapped_record, unnest(waits_for) AS key "
    f"WHERE {_FILTER} GROUP BY key ORDER BY records DESC, key LIMIT :limit"
)
_GAUGE = text(
    "SELECT coalesce(reason_code, 'unknown') AS code, count(*) AS records "
    "FROM mapped_record WHERE outcome = 'parked' GROUP BY 1"
)


class ParkedRecords:
    """What waits in the mapper."""

    def __init__(
        self, store: Store, configurations: Configurations, *, outbox: Outbox, clock: Clock
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._outbox = outbox
        self._clock = clock

    def list(
        self, *, book: str | None = None, waits_for: str | None = None, limit: int = 100
    ) -> dict[str, Any]:
        """Return parked records, the longest waiting first, and what most of them wait for."""
        parameters = {"book": book, "waits_for": waits_for, "limit": limit}
        with self._store.transaction() as connection:
            rows = connection.execute(_LIST, parameters).mappings().all()
            counts = connection.execute(_COUNTS, parameters).mappings().all()
        return {
            "parked": [_item(row) for row in rows],
            "waits_for": [{"key": row["key"], "records": row["records"]} for row in counts],
        }

    def release(
        self,
        record_id: str,
        *,
        actor: str,
        note: str | None = None,
        folds: Folds | None = None,
    ) -> dict[str, Any]:
        """Map a parked record again now; return its outcome, parked still if facts are missing.

        Nothing is overridden: what is missing must be mapped, not waved through. ``folds`` say
        what wall times mean that happen twice or never; that is what such an entry waits for.
        """
        with self._store.transaction() as connection:
            book_name = stored.book_of_parked(connection, record_id)
            if book_name is None:
                raise NotFound("nothing parked has this id", id=record_id)
            book = self._configurations.lock(connection, book_name)
            before = stored.one_parked(connection, book_name, record_id)
            if before is None:
                raise NotFound("it isn't parked any more", id=record_id)
            if folds is not None:
                self._decide(connection, before, book_name, Decision(folds, actor, note))
            [after] = stored.map_again(connection, book_name, book, [before])
            if not same_content(before.change, after.change):
                self._store_change(connection, book, before, after)
            outcome = after.change.outcome.value
            audit.write(
                connection,
                actor=actor,
                action="parked_released",
                subject=f"record:{record_id}",
                book=book_name,
                detail={"note": note, "outcome": outcome, "folds": folds},
            )
        self._outbox.try_flush()
        return {
            "released": after.change.outcome is not MappingOutcome.PARKED,
            "outcome": outcome,
            "reasons": [reason.model_dump(exclude_none=True) for reason in after.change.reasons],
        }

    def _decide(
        self, connection: Connection, parked: StoredRecord, book: str, decision: Decision
    ) -> None:
        """Remember which time is meant; raise RequestInvalid where no time is in question."""
        entry = parked.accepted.state
        waits_for = (reason.waits_for or "" for reason in parked.change.reasons)
        asks = any(key.startswith(f"{WAITS_FOR}:") for key in waits_for)
        if not asks or not isinstance(entry, TimeEntry):
            raise RequestInvalid(
                "a fold says which of two times is meant; this waits for something else",
                id=parked.change.record_id,
            )
        key = (book, parked.change.record_id)
        decide_folds(connection, key, entry, decision, self._clock.now())

    def count(self) -> None:
        """Set the gauges of what is parked."""
        with self._store.transaction() as connection:
            counts = {row.code: row.records for row in connection.execute(_GAUGE)}
        PARKED.clear()
        for code, number in counts.items():
            PARKED.labels(code).set(number)

    def _store_change(
        self,
        connection: Connection,
        book: CompiledBook | None,
        before: StoredRecord,
        after: MappedRecord,
    ) -> None:
        """Store and announce; under the same version (newer rules in a newer program, say) the
        book gets a version of its own for it, so that the charge set's order moves."""
        version = book.version if book else 0
        if book is not None and before.change.mapping_version == version:
            new = NewVersion(
                book.configuration,
                version + 1,
                applied_at=self._clock.now(),
                applied_by=APPLIED_BY,
                note=f"release of {before.change.record_id}",
                cause="facts",
            )
            announce(connection, self._configurations, self._outbox, new)
            after = after.under(new.version)
        records.update(connection, [after], self._clock.now())
        self._outbox.add(connection, [charge_set_message(after.book, after.change)])


def _item(row: Any) -> dict[str, Any]:
    reasons = row["reasons"] or []
    return {
        "id": row["record_id"],
        "book": row["book"],
        "kind": row["record_type"],
        "subject": _subject(row),
        "code": row["reason_code"],
        "detail": "; ".join(reason["detail"] for reason in reasons),
        "waits_for": row["waits_for"],
        "since": row["outcome_since"],
        "reasons": reasons,
    }


def _subject(row: Any) -> str:
    parts = (row["work_date"], row["client"], row["project"], row["source"])
    return " / ".join(str(part) for part in parts if part)
