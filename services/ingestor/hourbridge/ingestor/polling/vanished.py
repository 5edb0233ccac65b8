"""What a complete reading lacks: renamed, deleted, or withheld with a reason. Never silently.

A reading speaks for the records that its feed states. What it lacks is first compared with what
appeared under another id, then asked for by id. Only what the source confirms not to have is
deleted. Where a source can't say, its complete reading counts, unless suspiciously much is
missing: that waits until a person allows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from hourbridge.common.clock import Clock
from hourbridge.common.errors import SourceRefused
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.records import RECORD_MODELS, Deletion, Record, RecordType
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Lease, ensure_held
from hourbridge.common.store.outbox import Outbox
from hourbridge.common.store.rows import statement
from hourbridge.connectors.source import Source
from hourbridge.ingestor import records
from hourbridge.ingestor.acceptor import Acceptor, Statement
from hourbridge.ingestor.identity import OrderKey, OrderKind, microseconds_of
from hourbridge.ingestor.polling import feeds, metrics, readings, rekeys, resting, turns
from hourbridge.ingestor.polling.amending import amend
from hourbridge.ingestor.polling.feeds import SourceKey
from hourbridge.ingestor.polling.pages import PageKeeper
from hourbridge.ingestor.polling.readings import Progress
from hourbridge.ingestor.polling.rekeys import Vanished
from hourbridge.ingestor.polling.turns import Turn
from hourbridge.ingestor.records import Revision

BETWEEN_DELETIONS = declare(
    "ingestor.poll_between_deletions", "some of what a reading lacks is deleted, some is not"
)
MISSING_MAX = 10
"""Up to so many missing records, or a fifth of the window, are nothing unusual."""
_SHARE = 5
ASKED_AT_ONCE = 50
_LISTED_MAX = 10_000

_COVERED = """
    FROM record r JOIN polled_record p USING (record_id)
    WHERE (p.book, p.source, p.feed) = (:book, :source, :feed)
      AND r.record_type = :record_type AND NOT r.deleted AND r.merged_into IS NULL
      AND (CAST(:first AS date) IS NULL OR r.on_date BETWEEN :first AND :last)
"""
_MISSING = statement(
    "SELECT r.record_id::text AS record_id, r.state, ARRAY(SELECT a.alias FROM record_alias a "
    f"WHERE a.record_id = r.record_id) AS aliases {_COVERED} "
    "AND r.stated_as_of < :as_of ORDER BY r.record_id LIMIT :limit"
)
_LIVE = statement(f"SELECT count(*) {_COVERED}")
_KIND = statement(
    "SELECT kind FROM order_kind "
    "WHERE book = :book AND source = :source AND record_type = :record_type"
)


@dataclass(frozen=True)
class Missing:
    """What a reading lacks of one record type."""

    record_type: RecordType
    gone: tuple[Vanished, ...]
    live: int
    """Records that the feed speaks for in the window, the missing ones among them."""
    kind: OrderKind

    @property
    def is_suspicious(self) -> bool:
        """Return whether so much is missing that something else than deleting may be the cause."""
        return len(self.gone) > max(MISSING_MAX, self.live // _SHARE)

    @property
    def is_all(self) -> bool:
        """Return whether a window that held something is empty now."""
        return self.live > MISSING_MAX and len(self.gone) == self.live


def why_withheld(missing: Missing, progress: Progress, *, can_confirm: bool) -> str | None:
    """Return why nothing may be deleted, None if it may (what is confirmed, if it can be)."""
    count = f"{len(missing.gone)} of {missing.live} {missing.record_type} records are missing"
    if missing.is_all:
        return f"{count}: the source states none at all; may it still see them?"
    if can_confirm:
        return None
    if progress.unidentified:
        return f"{count}, but {progress.unidentified} refused statements name no id"
    if missing.is_suspicious:
        return f"{count}, and the source can't confirm it"
    return None


@dataclass(frozen=True)
class Deleter:
    """Settles what complete readings lack, and ends them."""

    store: Store
    outbox: Outbox
    acceptor: Acceptor
    clock: Clock
    pages: PageKeeper

    def settle(self, lease: Lease, turn: Turn, progress: Progress, source: Source) -> Progress:
        """Delete or withhold what a reading lacks, then end it; resumable anywhere.

        Raises the source's errors when asking it fails: the reading then waits and goes on.
        """
        reasons = []
        for record_type in sorted(
            {RecordType(each) for each in progress.counts} or {progress.record_type}
        ):
            self._rename(lease, turn, progress, record_type)
            reasons += self._delete(lease, turn, progress, record_type, source)
        progress.deletions_withheld = "; ".join(reasons) or None
        now = self.clock.now()
        with self.store.transaction() as connection:
            ensure_held(connection, lease)
            turns.advance(connection, turn, cursor=turn.cursor, reading_id=None, now=now)
            resting.finish(connection, self.outbox, turn, progress, now)
            readings.save(connection, progress)
            if reasons:
                self._tell(connection, turn, progress)
        self.outbox.try_flush()
        resting.note(turn, progress)
        return progress

    def _missing(
        self, connection: Connection, turn: Turn, progress: Progress, record_type: RecordType
    ) -> Missing:
        values = {
            **turn.names,
            "record_type": record_type.value,
            "first": progress.window_first,
            "last": progress.window_last,
        }
        as_of = microseconds_of(progress.as_of)
        limits = {"as_of": as_of, "limit": _LISTED_MAX}
        model = RECORD_MODELS[record_type]
        rows = connection.execute(_MISSING, {**values, **limits}).mappings()
        gone = tuple(_vanished(row, model) for row in rows)
        live = int(connection.execute(_LIVE, values).scalar_one())
        kind = connection.execute(_KIND, values).scalar()
        return Missing(record_type, gone, live, OrderKind(kind or OrderKind.TIME))

    def _rename(
        self, lease: Lease, turn: Turn, progress: Progress, record_type: RecordType
    ) -> None:
        """Make one record of what vanished and what appeared in its place."""
        with self.store.transaction() as connection:
            ensure_held(connection, lease)
            missing = self._missing(connection, turn, progress, record_type)
            renamed = rekeys.successors(
                connection,
                missing.gone,
                book=turn.book,
                source=turn.source,
                as_of=progress.as_of,
                kind=missing.kind,
            )
            if not renamed:
                return
            acceptance = self.acceptor.accept(connection, renamed)
            self.pages.announce(connection, turn, acceptance.revisions)
            progress.rekeyed += len(renamed)
            readings.save(connection, progress)

    def _delete(
        self,
        lease: Lease,
        turn: Turn,
        progress: Progress,
        record_type: RecordType,
        source: Source,
    ) -> list[str]:
        """Delete what is gone; return why what is missing was not deleted, if so."""
        with self.store.transaction() as connection:
            missing = self._missing(connection, turn, progress, record_type)
            allowed = self._is_allowed(connection, turn)
        if not missing.gone:
            return []
        if missing.is_all and not allowed:
            return [why_withheld(missing, progress, can_confirm=True) or ""]
        reasons = []
        still_there = 0
        for start in range(0, len(missing.gone), ASKED_AT_ONCE):
            asked = missing.gone[start : start + ASKED_AT_ONCE]
            confirmed = self._ask(turn, asked, source)
            if confirmed is None:
                reason = why_withheld(missing, progress, can_confirm=False)
                if reason and not allowed:
                    reasons.append(reason)
                    break
                confirmed = frozenset().union(*(each.ids for each in asked))
            gone = [each for each in asked if each.ids <= confirmed]
            still_there += len(asked) - len(gone)
            self._store(lease, turn, progress, missing.kind, gone)
            fault_point(BETWEEN_DELETIONS)
        if still_there:
            what = f"{still_there} {record_type} records are missing, but the source has them"
            reasons.append(what)
        return reasons

    def _ask(self, turn: Turn, asked: Sequence[Vanished], source: Source) -> frozenset[str] | None:
        """Return the ids that the source confirms to be gone, None when it can't say."""
        try:
            return source.gone(turn.feed, sorted(set().union(*(each.ids for each in asked))))
        except SourceRefused:
            return None

    def _store(
        self,
        lease: Lease,
        turn: Turn,
        progress: Progress,
        kind: OrderKind,
        gone: Sequence[Vanished],
    ) -> None:
        if not gone:
            return
        now = self.clock.now()
        with self.store.transaction() as connection:
            ensure_held(connection, lease)
            if kind is OrderKind.VERSION:
                revisions = self._amend(connection, turn, progress, gone, now)
            else:
                stated = [_deletion(turn, progress, each) for each in gone]
                revisions = self.acceptor.accept(connection, stated).revisions
            self.pages.announce(connection, turn, revisions)
            progress.deleted += len(revisions)
            readings.save(connection, progress)
        self.outbox.try_flush()
        labels = (turn.book, turn.source, turn.feed, "deleted")
        metrics.RECORDS.labels(*labels).inc(len(revisions))

    def _amend(
        self,
        connection: Connection,
        turn: Turn,
        progress: Progress,
        gone: Sequence[Vanished],
        now: datetime,
    ) -> list[Revision]:
        """Delete records of a source that orders by versions: a deletion has none."""
        records.lock_books(connection, [turn.book])
        found = []
        for each in gone:
            state = each.state.model_copy(
                update={"deleted": Deletion(at=progress.as_of, how="diff")}
            )
            revision = amend(connection, each.record_id, state, now, progress.reading_id)
            found += [revision] if revision is not None else []
        return found

    def _is_allowed(self, connection: Connection, turn: Turn) -> bool:
        row = feeds.lock(connection, SourceKey(turn.book, turn.source), turn.feed)
        return row["deletions_allowed_by"] is not None

    def _tell(self, connection: Connection, turn: Turn, progress: Progress) -> None:
        audit.write(
            connection,
            actor="hourbridge",
            action="deletions_withheld",
            subject=f"{turn.book}/{turn.source}/{turn.feed}",
            book=turn.book,
            correlation_id=progress.reading_id,
            detail={"reason": progress.deletions_withheld},
        )


def _vanished(row: RowMapping, model: type[Record]) -> Vanished:
    state = model.model_validate(row["state"])
    return Vanished(row["record_id"], state, frozenset({state.external_id, *row["aliases"]}))


def _deletion(turn: Turn, progress: Progress, gone: Vanished) -> Statement:
    deleted = Deletion(at=progress.as_of, how="diff")
    return Statement(
        book=turn.book,
        source=turn.source,
        record=gone.state.model_copy(update={"deleted": deleted}),
        raw_ref=f"reading:{progress.reading_id}",
        as_of=progress.as_of,
        order_key=OrderKey(OrderKind.TIME, microseconds_of(progress.as_of)),
        correlation_id=progress.reading_id,
    )
