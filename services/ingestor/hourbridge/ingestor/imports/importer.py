"""Imports one file: batch after batch, each in one transaction, resumable after a kill.

The order of batches depends on the file alone, so an import that was cut off goes on where it
was; importing the same file again changes nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.clock import Clock
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.ids import content_hash, derive_id
from hourbridge.common.messages.registry import BULK_EXCHANGE
from hourbridge.common.store import objects
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import metrics, payloads
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptance, Acceptor, Verdict
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.flood_gate import FloodGate
from hourbridge.ingestor.identity import date_of
from hourbridge.ingestor.imports import runs, snapshots
from hourbridge.ingestor.imports.job import BATCH_ROWS, Job, batches_of
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import built_in, load
from hourbridge.ingestor.imports.reading import FileReading
from hourbridge.ingestor.imports.runs import Run, Window
from hourbridge.ingestor.imports.snapshots import Snapshot
from hourbridge.ingestor.imports.stated import StatedRow
from hourbridge.ingestor.imports.text import decompress
from hourbridge.ingestor.imports.totals import totals_messages
from hourbridge.ingestor.records import Revision

BEFORE_COMMIT = declare("ingestor.import_before_commit", "a batch of rows is written, uncommitted")
PAUSE_SECONDS_MAX = 1.0
AFTER_COMMIT = declare("ingestor.import_after_commit", "a batch of rows is committed, unpublished")


@dataclass(frozen=True)
class Importer:
    """Runs imports; needs no HTTP."""

    store: Store
    outbox: Outbox
    acceptor: Acceptor
    clock: Clock
    unpacked_bytes_max: int = 512 * 1024 * 1024
    gate: FloodGate | None = None

    def import_file(self, path: Path, options: ImportOptions, *, actor: str) -> dict[str, Any]:
        """Import a file from beginning to end; return the summary."""
        summary: dict[str, Any] = {}
        with tempfile.TemporaryDirectory(prefix="hb-import-") as scratch:
            job = self.open(path, options, actor=actor, scratch=Path(scratch))
            for line in self.run(job):
                summary = line
        return summary

    def open(self, path: Path, options: ImportOptions, *, actor: str, scratch: Path) -> Job:
        """Read the profile and survey the file; write nothing.

        Raises FileUnreadable or ConfigurationInvalid, naming what is wrong. ``scratch`` is a
        directory that outlives the job.
        """
        definition = options.profile_definition
        profile = load(definition) if definition else built_in(options.profile)
        content = path.read_bytes()
        unpacked = decompress(path, scratch / "unpacked", bytes_max=self.unpacked_bytes_max)
        as_of = options.as_of_or(self.clock.now())
        told = options.model_dump(mode="json", exclude={"filename", "dry_run", "as_of"})
        parts = [f"{name}={value}" for name, value in sorted(told.items())]
        return Job(
            options=options,
            reading=FileReading(unpacked, profile, options),
            content=content,
            as_of=as_of,
            reading_id=derive_id("reading", content_hash(content), as_of.isoformat(), *parts),
            actor=actor,
        )

    def run(self, job: Job) -> Iterator[dict[str, Any]]:
        """Import; yield a progress line per batch and the summary as the last one."""
        run = self._start(job)
        for number, batch in enumerate(batches_of(job.reading.statements()), 1):
            if run.is_open and number <= run.batches_done:
                job.skim(batch)
                continue
            yield from self._wait_for_room(job)
            self._batch(job, run, batch)
            yield job.progress()
        withheld = self._delete_missing(job, run)
        if run.is_open:
            self._finish(job, run, withheld)
        yield _summary(job, run, withheld)

    def _start(self, job: Job) -> Run:
        if job.options.dry_run:
            return Run(job.reading_id, is_open=False)
        payload = payloads.receive("file", None, "application/octet-stream", self.clock.now())
        payload.book, payload.source = job.options.book, job.options.source
        payload.correlation_id = job.reading_id
        with self.store.transaction() as connection:
            payload.keep_as(
                objects.put(connection, job.content, "application/octet-stream"), job.content
            )
            payloads.keep(connection, [payload])
            run = runs.start(connection, _run_row(job, self.clock.now()))
        job.counts = run.counts if run.is_open else {}
        return run

    def _wait_for_room(self, job: Job) -> Iterator[dict[str, Any]]:
        """Pause while the book floods; a progress line a second tells that the import lives."""
        if self.gate is None or job.options.dry_run:
            return
        book = job.options.book
        if self.gate.wait_seconds(book):
            metrics.HELD_BACK.labels("file").inc()
        while wait_seconds := self.gate.wait_seconds(book):
            self.clock.sleep(min(wait_seconds, PAUSE_SECONDS_MAX))
            yield job.progress()

    def _charge(self, job: Job, revisions: Sequence[Revision]) -> None:
        if self.gate is not None:
            self.gate.charge(job.options.book, len(revisions))

    def _batch(self, job: Job, run: Run, batch: list[StatedRow]) -> None:
        """Accept one batch and note its outcomes."""
        options = job.options
        with metrics.BATCH_SECONDS.labels("file").time(), self.store.transaction() as connection:
            windows = runs.newer_snapshots(connection, options.book, options.source, job.as_of)
            acceptance, verdicts = self._accept(connection, job, batch, windows)
            rejected = job.count(batch, verdicts)
            if options.dry_run:
                return
            self._charge(job, acceptance.revisions)
            self.outbox.add(connection, [_bulk(revision) for revision in acceptance.revisions])
            runs.reject(connection, job.reading_id, rejected)
            if options.mode == "snapshot":
                _mention(connection, job, batch, verdicts)
            if run.is_open:
                run.batches_done += 1
                runs.advance(connection, run, job.counts)
            fault_point(BEFORE_COMMIT)
        fault_point(AFTER_COMMIT)
        self.outbox.try_flush()
        for verdict in verdicts:
            metrics.IMPORT_ROWS.labels(verdict.outcome.value).inc()

    def _accept(
        self, connection: Connection, job: Job, batch: list[StatedRow], windows: list[Window]
    ) -> tuple[Acceptance, list[Verdict]]:
        early = [_early_verdict(stated, windows) for stated in batch]
        pairs = zip(batch, early, strict=True)
        statements = [job.statement(stated) for stated, verdict in pairs if verdict is None]
        accept = self.acceptor.preview if job.options.dry_run else self.acceptor.accept
        acceptance = accept(connection, statements)
        decided = iter(acceptance.verdicts)
        return acceptance, [verdict or next(decided) for verdict in early]

    def _delete_missing(self, job: Job, run: Run) -> str | None:
        """Delete what a snapshot lacks; return why nothing was deleted, if it had to be so."""
        if job.options.mode != "snapshot":
            return None
        withheld = None
        for record_type in job.reading.record_types:
            snapshot = job.snapshot(record_type)
            with self.store.transaction() as connection:
                reason = snapshots.why_withheld(connection, snapshot, job.unidentified)
            if reason is None:
                run.deleted += self._delete(job, snapshot)
            withheld = withheld or reason
        return withheld

    def _delete(self, job: Job, snapshot: Snapshot) -> int:
        after: str | None = None
        deleted = 0
        while True:
            for _ in self._wait_for_room(job):
                pass
            with self.store.transaction() as connection:
                found = snapshots.missing(connection, snapshot, after=after, limit=BATCH_ROWS)
                if not found:
                    return deleted
                after = found[-1][0]
                if job.options.dry_run:
                    deleted += sum(record_id not in job.seen for record_id, _ in found)
                    continue
                statements = [deletion for _, deletion in found]
                acceptance = self.acceptor.accept(connection, statements)
                self._charge(job, acceptance.revisions)
                self.outbox.add(connection, [_bulk(each) for each in acceptance.revisions])
                deleted += len(acceptance.revisions)
            self.outbox.try_flush()

    def _finish(self, job: Job, run: Run, withheld: str | None) -> None:
        now = self.clock.now()
        with self.store.transaction() as connection:
            runs.finish(connection, run, window=job.window, withheld=withheld, now=now)
            self.outbox.add(connection, totals_messages(job, now))
        self.outbox.try_flush()


def _early_verdict(stated: StatedRow, windows: list[Window]) -> Verdict | None:
    """Return what can be said of a row without asking for its record."""
    if stated.is_blank:
        return Verdict(Outcome.SKIPPED)
    if stated.record is None:
        return Verdict(Outcome.REJECTED, reasons=stated.reasons)
    day = date_of(stated.record)
    if any(window.covers(stated.record_type, day) for window in windows):
        return Verdict(Outcome.OLDER)  # a newer full reading has said what there is
    return None


def _mention(
    connection: Connection, job: Job, batch: list[StatedRow], verdicts: list[Verdict]
) -> None:
    """Let a snapshot's rejected rows count as present, as far as they can be told apart."""
    for record_type in job.reading.record_types:
        identities = [
            stated.identity
            for stated, verdict in zip(batch, verdicts, strict=True)
            if verdict.outcome is Outcome.REJECTED
            and stated.record_type is record_type
            and stated.identity is not None
        ]
        snapshots.mention(connection, job.snapshot(record_type), identities)


def _bulk(revision: Revision) -> Outgoing:
    return replace(announce(revision), exchange=BULK_EXCHANGE)


def _run_row(job: Job, now: datetime) -> dict[str, Any]:
    options = job.options
    return {
        "reading_id": job.reading_id,
        "book": options.book,
        "source": options.source,
        "profile": options.profile,
        "mode": options.mode,
        "file_name": options.filename,
        "file_sha256": job.file_sha256,
        "as_of": job.as_of,
        "window_first": options.first,
        "window_last": options.last,
        "options": options.model_dump_json(exclude_none=True),
        "header": job.reading.header,
        "rows": job.reading.survey.rows_total,
        "now": now,
        "actor": job.actor,
    }


def _summary(job: Job, run: Run, withheld: str | None) -> dict[str, Any]:
    first, last = job.window
    return {
        "kind": "summary",
        "reading_id": job.reading_id,
        "file_sha256": job.file_sha256,
        "as_of": job.as_of,
        "rows": job.reading.survey.rows_total,
        "seconds_stated": job.reading.survey.seconds,
        "outcomes": job.outcomes,
        "deleted": run.deleted,
        "deletions_withheld": withheld,
        "first": first,
        "last": last,
        "dry_run": job.options.dry_run,
        "imported_before": not run.is_open and not job.options.dry_run,
        "rejected": job.rejects,
    }
