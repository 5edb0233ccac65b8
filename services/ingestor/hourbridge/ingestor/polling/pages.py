"""A page becomes records: stored raw, decided, announced and passed, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.records import Record, RecordType
from hourbridge.common.messages.registry import BULK_EXCHANGE
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Lease, ensure_held
from hourbridge.common.store.outbox import Outbox
from hourbridge.common.store.rows import bulk, statement
from hourbridge.connectors.source import Page
from hourbridge.connectors.source import Statement as Stated
from hourbridge.ingestor import metrics as intake_metrics
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptor, Statement, Verdict
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.flood_gate import FloodGates
from hourbridge.ingestor.identity import OrderKey, OrderKind
from hourbridge.ingestor.imports import snapshots
from hourbridge.ingestor.imports.snapshots import Snapshot
from hourbridge.ingestor.polling import door, keeping, metrics, readings, receipts, resting, turns
from hourbridge.ingestor.polling.keeping import Rejected
from hourbridge.ingestor.polling.readings import Progress
from hourbridge.ingestor.polling.receipts import Files
from hourbridge.ingestor.polling.turns import Turn
from hourbridge.ingestor.records import Revision

BEFORE_COMMIT = declare("ingestor.poll_before_commit", "a page is written, uncommitted")
AFTER_COMMIT = declare("ingestor.poll_after_commit", "a page is committed, unpublished")

_CLAIM = statement(
    """
    INSERT INTO polled_record (record_id, book, source, feed)
    SELECT record_id, :book, :source, :feed
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(record_id uuid)
    ON CONFLICT (record_id) DO UPDATE SET feed = excluded.feed
    WHERE polled_record.feed <> excluded.feed
    """
)


@dataclass
class _Entry:
    """One statement of a page on its way."""

    stated: Stated
    raw_ref: str
    statement: Statement | None = None
    verdict: Verdict | None = None

    @property
    def external_id(self) -> str | None:
        """Return whom the statement concerns, also of one that can't be used, if it says so."""
        if self.stated.record is not None:
            return self.stated.record.external_id
        named = self.stated.notes.get("external_id")
        return None if named is None else str(named)

    @property
    def outcome(self) -> Outcome:
        """Return what became of it."""
        return Outcome.REJECTED if self.verdict is None else self.verdict.outcome


@dataclass(frozen=True)
class PageKeeper:
    """Stores pages."""

    store: Store
    outbox: Outbox
    acceptor: Acceptor
    clock: Clock
    gates: FloodGates

    def keep(
        self, lease: Lease, turn: Turn, page: Page, files: Files, *, claims: bool, started: datetime
    ) -> Progress:
        """Store a page and where its feed goes on; return the reading as it stands then.

        ``claims``: the feed's complete readings speak for what they state. Raises LeaseLost or
        TurnLost, and then nothing is stored: another reads on, or the feed was changed.
        """
        now = self.clock.now()
        with (
            intake_metrics.BATCH_SECONDS.labels("poll").time(),
            self.store.transaction() as connection,
        ):
            ensure_held(connection, lease)
            progress = self._progress(connection, turn, page, started)
            late = receipts.keep(connection, turn, files, now, progress.reading_id)
            entries = self._decide(connection, turn, page, files, progress, now)
            revisions = self._accept(connection, turn, entries, progress)
            if claims:
                self._claim(connection, turn, entries)
            self._keep_rejected(connection, turn, entries, progress, now)
            self.announce(connection, turn, [*late, *revisions])
            progress.pages += 1
            progress.leave_out(page.skipped)
            self._pass(connection, turn, page, progress, now, started)
            fault_point(BEFORE_COMMIT)
        fault_point(AFTER_COMMIT)
        self.outbox.try_flush()
        self._note(turn, page, entries, progress)
        return progress

    def announce(self, connection: Connection, turn: Turn, revisions: Sequence[Revision]) -> None:
        """Record the messages of new revisions; history goes to the bulk exchange."""
        gate = self.gates.work if turn.span is None else self.gates.bulk
        gate.charge(turn.book, len(revisions))
        self.outbox.add(connection, [_message(turn, revision) for revision in revisions])

    def _progress(
        self, connection: Connection, turn: Turn, page: Page, started: datetime
    ) -> Progress:
        """Return the reading that a page belongs to: the one in progress, or a new one."""
        reading_id = readings.reading_id_of(turn, page.reading)
        found = readings.get(connection, reading_id) if turn.reading_id == reading_id else None
        if found is None:
            if turn.reading_id is not None:
                readings.abandon(connection, turn.reading_id, self.clock.now())
            found = readings.begin(turn, page.reading, started)
        found.cover(page.reading)
        return found

    def _decide(
        self,
        connection: Connection,
        turn: Turn,
        page: Page,
        files: Files,
        progress: Progress,
        now: datetime,
    ) -> list[_Entry]:
        """Keep every raw form, let rules skip, and return what each statement states."""
        rules = door.load(connection, turn.book, turn.source)
        received = [keeping.payload_of(turn, stated.raw, now) for stated in page.statements]
        keeping.keep(connection, received)
        entries = []
        for stated, payload in zip(page.statements, received, strict=True):
            entry = _Entry(stated, payload.reference)
            if stated.record is not None:
                record = files.fill(stated.record)
                entry.statement = _statement(turn, stated, record, entry.raw_ref, progress)
                if not rules.permits(record):
                    entry.verdict = Verdict(Outcome.SKIPPED)
            entries.append(entry)
        kept_out = [each.statement for each in entries if each.verdict and each.statement]
        door.keep_out(connection, kept_out, now)
        return entries

    def _accept(
        self,
        connection: Connection,
        turn: Turn,
        entries: Sequence[_Entry],
        progress: Progress,
    ) -> list[Revision]:
        """Accept what may come in; count every statement's outcome."""
        usable = [each for each in entries if each.statement and each.verdict is None]
        revisions: list[Revision] = []
        if usable:
            stated = [each.statement for each in usable if each.statement]
            acceptance = self.acceptor.accept(connection, stated)
            revisions = acceptance.revisions
            for entry, verdict in zip(usable, acceptance.verdicts, strict=True):
                entry.verdict = verdict
        for entry in entries:
            record = entry.stated.record
            record_type = progress.record_type if record is None else record.record_type
            progress.count(record_type.value, entry.outcome.value)
        if progress.is_snapshot:
            self._mention(connection, turn, entries, progress)
        return revisions

    def _mention(
        self, connection: Connection, turn: Turn, entries: Sequence[_Entry], progress: Progress
    ) -> None:
        """Let what is stated but not taken count as present; it must not seem deleted."""
        present: dict[RecordType, list[str]] = {}
        for entry in entries:
            if entry.outcome not in (Outcome.REJECTED, Outcome.SKIPPED):
                continue
            if entry.external_id is None:
                progress.unidentified += 1
                continue
            record = entry.stated.record
            record_type = progress.record_type if record is None else record.record_type
            present.setdefault(record_type, []).append(entry.external_id)
        for record_type in sorted(present):
            snapshot = Snapshot(
                turn.book, turn.source, record_type, progress.as_of, None, None, raw_ref=""
            )
            snapshots.mention(connection, snapshot, present[record_type])

    def _claim(self, connection: Connection, turn: Turn, entries: Sequence[_Entry]) -> None:
        found = {each.verdict.record_id for each in entries if each.verdict}
        rows = [{"record_id": each} for each in sorted(one for one in found if one)]
        if rows:
            bulk(connection, _CLAIM, rows, **turn.names)

    def _keep_rejected(
        self,
        connection: Connection,
        turn: Turn,
        entries: Sequence[_Entry],
        progress: Progress,
        now: datetime,
    ) -> None:
        rejected = []
        for entry in entries:
            if entry.outcome is not Outcome.REJECTED:
                continue
            record = entry.stated.record
            record_type = progress.record_type if record is None else record.record_type
            reasons = entry.verdict.reasons if entry.verdict else entry.stated.reasons
            rejected.append(
                Rejected(
                    entry.raw_ref, record_type, entry.external_id, entry.stated.location, reasons
                )
            )
        keeping.reject(connection, turn, progress.reading_id, rejected, now)

    def _pass(
        self,
        connection: Connection,
        turn: Turn,
        page: Page,
        progress: Progress,
        now: datetime,
        started: datetime,
    ) -> None:
        """Store where the feed goes on; a complete reading is followed by its deletions."""
        is_done = page.is_last and not progress.is_snapshot
        turns.advance(
            connection,
            turn,
            cursor=page.cursor,
            reading_id=None if is_done else progress.reading_id,
            now=now,
            started=started if progress.pages == 1 else None,
        )
        if is_done:
            resting.finish(connection, self.outbox, turn, progress, now)
        elif page.is_last:
            progress.state = "deleting"
        readings.save(connection, progress)

    def _note(self, turn: Turn, page: Page, entries: Sequence[_Entry], progress: Progress) -> None:
        labels = (turn.book, turn.source, turn.feed)
        metrics.PAGES.labels(*labels).inc()
        outcomes = [each.outcome.value for each in entries]
        for outcome in set(outcomes):
            metrics.RECORDS.labels(*labels, outcome).inc(outcomes.count(outcome))
        if page.skipped:
            metrics.RECORDS.labels(*labels, "skipped").inc(sum(page.skipped.values()))
        if progress.state == "done":
            resting.note(turn, progress)


def _statement(
    turn: Turn, stated: Stated, record: Record, raw_ref: str, progress: Progress
) -> Statement:
    return Statement(
        book=turn.book,
        source=turn.source,
        record=record,
        raw_ref=raw_ref,
        as_of=progress.as_of,
        order_key=_order_key(stated, record),
        correlation_id=progress.reading_id,
    )


def _order_key(stated: Stated, record: Record) -> OrderKey | None:
    """Return the order that a connector states: the record's own version, or a time."""
    if stated.order_key is None:
        return None
    is_version = record.external_version == str(stated.order_key)
    return OrderKey(OrderKind.VERSION if is_version else OrderKind.TIME, stated.order_key)


def _message(turn: Turn, revision: Revision) -> Outgoing:
    message = announce(revision)
    return message if turn.span is None else replace(message, exchange=BULK_EXCHANGE)
