"""Imports one file: batch after batch, each in one transaction, resumable after a kill.

The order of batches depends on the file alone, so an import that was cut off goes on where it
was; importing the same file again changes nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.ids import content_hash, derive_id
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import BULK_EXCHANGE
from hourbridge.common.store import objects
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import metrics, payloads
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptance, Acceptor, Statement, Verdict
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.identity import date_of
from hourbridge.ingestor.imports import runs, snapshots
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import built_in, load
from hourbridge.ingestor.imports.reading import FileReading, StatedRow
from hourbridge.ingestor.imports.runs import Counts, Run, Window
from hourbridge.ingestor.imports.snapshots import Snapshot
from hourbridge.ingestor.imports.text import FileUnreadable, decompress
from hourbridge.ingestor.imports.totals import totals_messages

BATCH_ROWS = 1000
REJECTS_SHOWN_MAX = 100
BEFORE_COMMIT = declare("ingestor.import_before_commit", "a batch of rows is written, uncommitted")
AFTER_COMMIT = declare("ingestor.import_after_commit", "a batch of rows is committed, unpublished")


@dataclass
class Job:
    """One import, surveyed and ready to run."""

    options: ImportOptions
    reading: FileReading
    content: bytes
    as_of: datetime
    reading_id: str
    actor: str
    rejects: list[dict[str, Any]] = field(default_factory=list)
    """The first rejected rows, for the summary."""
    unidentified: int = 0
    days: set[date] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    """Dry runs only: the records that the file states."""

    @property
    def file_sha256(self) -> str:
        """Return the hash of the file as received."""
        return content_hash(self.content)

    @property
    def raw_ref(self) -> str:
        """Return where the original file is kept."""
        return f"sha256:{self.file_sha256}"

    @property
    def window(self) -> tuple[date | None, date | None]:
        """Return the stated window, else the days that the file's rows span."""
        if self.options.first is not None:
            return self.options.first, self.options.last
        return snapshots.span_of(iter(self.days)) or (None, None)

    def snapshot(self, record_type: RecordType) -> Snapshot:
        """Return what a full reading of one record type speaks about."""
        first, last = self.window
        return Snapshot(
            book=self.options.book,
            source=self.options.source,
            record_type=record_type,
            as_of=self.as_of,
            first=first,
            last=last,
            raw_ref=self.raw_ref,
        )


class Importer:
    """Runs imports; needs no HTTP."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        acceptor: Acceptor,
        *,
        clock: Clock,
        unpacked_bytes_max: int = 512 * 1024 * 1024,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._acceptor = acceptor
        self._clock = clock
        self._unpacked_bytes_max = unpacked_bytes_max

    def open(self, path: Path, options: ImportOptions, *, actor: str, scratch: Path) -> Job:
        """Read the profile and survey the file; write nothing.

        Raises FileUnreadable or ConfigurationInvalid, naming what is wrong. ``scratch`` is a
        directory that outlives the job.
        """
        definition = options.profile_definition
        profile = load(definition) if definition else built_in(options.profile)
        content = path.read_bytes()
        unpacked = decompress(path, scratch / "unpacked", bytes_max=self._unpacked_bytes_max)
        as_of = options.as_of_or(self._clock.now())
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

    def import_file(self, path: Path, options: ImportOptions, *, actor: str) -> dict[str, Any]:
        """Import a file from beginning to end; return the summary."""
        summary: dict[str, Any] = {}
        with tempfile.TemporaryDirectory(prefix="hb-import-") as scratch:
            job = self.open(path, options, actor=actor, scratch=Path(scratch))
            for line in self.run(job):
                summary = line
        return summary

    def run(self, job: Job) -> Iterator[dict[str, Any]]:
        """Import; yield a progress line per batch and the summary as the last one."""
        run = self._start(job)
        resumed_at = 0 if run.is_done else run.batches_done
        counts: Counts = {} if run.is_done else run.counts
        for number, batch in enumerate(_batches(job.reading.statements()), 1):
            if number <= resumed_at:
                _skim(job, batch)
                continue
            self._batch(job, replace_run(run, number, counts), batch)
            yield _progress(job, counts)
        run.counts = counts
        withheld = self._delete_missing(job, run)
        if not job.options.dry_run and not run.is_done:
            self._finish(job, run, withheld)
        yield self._summary(job, run, withheld)

    def _start(self, job: Job) -> Run:
        if job.options.dry_run:
            return Run(job.reading_id, is_done=True, batches_done=0)
        payload = payloads.receive("file", job.content, "text/csv", self._clock.now())
        payload.book, payload.source = job.options.book, job.options.source
        with self._store.transaction() as connection:
            payload.object_ref = objects.put(connection, job.content, "application/octet-stream")
            payload.correlation_id = job.reading_id
            payloads.keep(connection, [payload])
            return runs.start(connection, _run_row(job, self._clock.now()))

    def _batch(self, job: Job, run: Run, batch: list[StatedRow]) -> None:
        """Accept one batch; count its outcomes in ``run.counts``."""
        with metrics.BATCH_SECONDS.labels("file").time(), self._store.transaction() as connection:
            windows = runs.newer_snapshots(
                connection, job.options.book, job.options.source, job.as_of
            )
            acceptance, verdicts = self._accept(connection, job, batch, windows)
            rejected = _note(job, run.counts, batch, verdicts)
            if job.options.dry_run:
                return
            self._outbox.add(connection, [_bulk(revision) for revision in acceptance.revisions])
            runs.reject(connection, job.reading_id, rejected)
            self._mention(connection, job, batch, verdicts)
            if not run.is_done:
                runs.advance(connection, run)
            fault_point(BEFORE_COMMIT)
        fault_point(AFTER_COMMIT)
        self._outbox.try_flush()
        for verdict in verdicts:
            metrics.IMPORT_ROWS.labels(verdict.outcome.value).inc()

    def _accept(
        self, connection: Connection, job: Job, batch: list[StatedRow], windows: list[Window]
    ) -> tuple[Acceptance, list[Verdict]]:
        early = [_early_verdict(stated, windows) for stated in batch]
        statements = [
            _statement(job, stated)
            for stated, verdict in zip(batch, early, strict=True)
            if verdict is None
        ]
        if job.options.dry_run:
            acceptance = self._acceptor.preview(connection, statements)
        else:
            acceptance = self._acceptor.accept(connection, statements)
        decided = iter(acceptance.verdicts)
        return acceptance, [verdict or next(decided) for verdict in early]

    def _mention(
        self, connection: Connection, job: Job, batch: list[StatedRow], verdicts: list[Verdict]
    ) -> None:
        if job.options.mode != "snapshot":
            return
        by_type: dict[RecordType, list[str]] = {}
        for stated, verdict in zip(batch, verdicts, strict=True):
            if verdict.outcome is Outcome.REJECTED and stated.identity is not None:
                by_type.setdefault(stated.record_type, []).append(stated.identity)
        for record_type, identities in by_type.items():
            snapshots.mention(connection, job.snapshot(record_type), identities)

    def _delete_missing(self, job: Job, run: Run) -> str | None:
        """Delete what a snapshot lacks; return why nothing was deleted, if it had to be so."""
        if job.options.mode != "snapshot":
            return None
        withheld = None
        for record_type in job.reading.record_types:
            snapshot = job.snapshot(record_type)
            with self._store.transaction() as connection:
                reason = snapshots.why_withheld(connection, snapshot, job.unidentified)
            if reason is None:
                run.deleted += self._delete(job, snapshot)
            withheld = withheld or reason
        return withheld

    def _delete(self, job: Job, snapshot: Snapshot) -> int:
        after: str | None = None
        deleted = 0
        while True:
            with self._store.transaction() as connection:
                found = snapshots.missing(connection, snapshot, after=after, limit=BATCH_ROWS)
                if not found:
                    return deleted
                after = found[-1][0]
                if job.options.dry_run:
                    deleted += sum(record_id not in job.seen for record_id, _ in found)
                    continue
                statements = [deletion for _, deletion in found]
                acceptance = self._acceptor.accept(connection, statements)
                self._outbox.add(connection, [_bulk(each) for each in acceptance.revisions])
                deleted += len(acceptance.revisions)
            self._outbox.try_flush()

    def _finish(self, job: Job, run: Run, withheld: str | None) -> None:
        now = self._clock.now()
        with self._store.transaction() as connection:
            runs.finish(connection, run, window=job.window, withheld=withheld, now=now)
            self._outbox.add(connection, totals_messages(job_totals(job, run), now))
        self._outbox.try_flush()

    def _summary(self, job: Job, run: Run, withheld: str | None) -> dict[str, Any]:
        first, last = job.window
        return {
            "kind": "summary",
            "reading_id": job.reading_id,
            "file_sha256": job.file_sha256,
            "as_of": job.as_of,
            "rows": job.reading.survey.rows_total,
            "seconds_stated": job.reading.survey.seconds,
            "outcomes": _outcomes(run.counts),
            "deleted": run.deleted,
            "deletions_withheld": withheld,
            "first": first,
            "last": last,
            "dry_run": job.options.dry_run,
            "imported_before": run.is_done and not job.options.dry_run,
            "rejected": job.rejects,
        }


def replace_run(run: Run, number: int, counts: Counts) -> Run:
    """Return ``run`` as it stands after batch ``number``, counting into ``counts``."""
    return replace(run, batches_done=number, counts=counts)


def job_totals(job: Job, run: Run) -> Any:
    """Return what the totals message of each record type needs."""
    from hourbridge.ingestor.imports.totals import FileTotals

    first, last = job.window
    return FileTotals(
        reading_id=job.reading_id,
        book=job.options.book,
        source=job.options.source,
        as_of=job.as_of,
        file_sha256=job.file_sha256,
        is_snapshot=job.options.mode == "snapshot",
        first=first,
        last=last,
        rows=job.reading.survey.rows,
        seconds=job.reading.survey.seconds,
        outcomes=run.counts,
    )


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


def _batches(rows: Iterator[StatedRow]) -> Iterator[list[StatedRow]]:
    """Cut into batches; rows with one id stay together."""
    batch: list[StatedRow] = []
    for stated in rows:
        same = batch and stated.identity is not None and stated.identity == batch[-1].identity
        if len(batch) >= BATCH_ROWS and not same:
            yield batch
            batch = []
        batch.append(stated)
    if batch:
        yield batch


def _early_verdict(stated: StatedRow, windows: list[Window]) -> Verdict | None:
    if stated.is_blank:
        return Verdict(Outcome.SKIPPED)
    if stated.record is None:
        return Verdict(Outcome.REJECTED, reasons=stated.reasons)
    day = date_of(stated.record)
    if any(window.covers(stated.record_type, day) for window in windows):
        return Verdict(Outcome.OLDER)  # a newer full reading has said what there is
    return None


def _statement(job: Job, stated: StatedRow) -> Statement:
    if stated.record is None:
        raise ValueError("a refused row states nothing")
    return Statement(
        book=job.options.book,
        source=job.options.source,
        record=stated.record,
        raw_ref=f"{job.raw_ref}#row={stated.row.number}",
        as_of=job.as_of,
        correlation_id=job.reading_id,
    )


def _note(
    job: Job, counts: Counts, batch: list[StatedRow], verdicts: list[Verdict]
) -> list[tuple[int, list[str], tuple[FieldReason, ...]]]:
    """Count a batch's outcomes; return its rejected rows."""
    rejected = []
    _skim(job, batch)
    for stated, verdict in zip(batch, verdicts, strict=True):
        of_type = counts.setdefault(stated.record_type.value, {})
        of_type[verdict.outcome.value] = of_type.get(verdict.outcome.value, 0) + 1
        if verdict.record_id is not None and job.options.dry_run:
            job.seen.add(verdict.record_id)
        if verdict.outcome is Outcome.REJECTED:
            rejected.append((stated.row.number, stated.row.cells, verdict.reasons))
    for number, _, reasons in rejected[: REJECTS_SHOWN_MAX - len(job.rejects)]:
        shown = [reason.model_dump() for reason in reasons]
        job.rejects.append({"row": number, "reasons": shown})
    return rejected


def _skim(job: Job, batch: list[StatedRow]) -> None:
    """Note what the end of an import has to know of all rows, also of those done before."""
    for stated in batch:
        day = date_of(stated.record) if stated.record else None
        if day is not None:
            job.days.add(day)
        if stated.record is None and not stated.is_blank and stated.identity is None:
            job.unidentified += 1


def _bulk(revision: Any) -> Any:
    return replace(announce(revision), exchange=BULK_EXCHANGE)


def _outcomes(counts: Counts) -> dict[str, int]:
    total: dict[str, int] = {}
    for of_type in counts.values():
        for outcome, count in of_type.items():
            total[outcome] = total.get(outcome, 0) + count
    return total


def _progress(job: Job, counts: Counts) -> dict[str, Any]:
    outcomes = _outcomes(counts)
    return {
        "kind": "progress",
        "rows_done": sum(outcomes.values()),
        "rows_total": job.reading.survey.rows_total,
        "outcomes": outcomes,
    }


__all__ = ["FileUnreadable", "HourbridgeError", "Importer", "Job"]
