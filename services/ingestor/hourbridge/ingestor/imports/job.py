"""One import on its way: what it was told, what it has seen, what it has counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hourbridge.common.ids import content_hash
from hourbridge.common.messages.records import RecordType
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Statement, Verdict
from hourbridge.ingestor.identity import date_of
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.reading import FileReading
from hourbridge.ingestor.imports.runs import Counts, RejectedRow
from hourbridge.ingestor.imports.snapshots import Snapshot
from hourbridge.ingestor.imports.stated import StatedRow

BATCH_ROWS = 1000
BATCH_CHARACTERS_MAX = 8_000_000
REJECTS_SHOWN_MAX = 100


@dataclass
class Job:
    """One import, surveyed and ready to run."""

    options: ImportOptions
    reading: FileReading
    content: bytes
    as_of: datetime
    reading_id: str
    actor: str
    counts: Counts = field(default_factory=dict)
    rejects: list[dict[str, Any]] = field(default_factory=list)
    """The first rejected rows, for the summary."""
    unidentified: int = 0
    """Rejected rows whose identity can't be read."""
    first_day: date | None = None
    last_day: date | None = None
    seen: set[str] = field(default_factory=set)
    """Dry runs only: the records that the file states."""

    def __post_init__(self) -> None:
        self.file_sha256 = content_hash(self.content)

    @property
    def raw_ref(self) -> str:
        """Return where the original file is kept."""
        return f"sha256:{self.file_sha256}"

    @property
    def window(self) -> tuple[date | None, date | None]:
        """Return the stated window, else the days that the file's rows span."""
        if self.options.first is not None:
            return self.options.first, self.options.last
        return self.first_day, self.last_day

    @property
    def outcomes(self) -> dict[str, int]:
        """Return rows by outcome, over all record types."""
        total: dict[str, int] = {}
        for of_type in self.counts.values():
            for outcome, count in of_type.items():
                total[outcome] = total.get(outcome, 0) + count
        return total

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

    def statement(self, stated: StatedRow) -> Statement:
        """Return what a readable row states."""
        if stated.record is None:
            raise ValueError("a refused row states nothing")
        return Statement(
            book=self.options.book,
            source=self.options.source,
            record=stated.record,
            raw_ref=f"{self.raw_ref}#row={stated.row.number}",
            as_of=self.as_of,
            correlation_id=self.reading_id,
        )

    def skim(self, batch: list[StatedRow]) -> None:
        """Note what the end of an import has to know of all rows, also of those done before."""
        for stated in batch:
            if stated.record is None and not stated.is_blank and stated.identity is None:
                self.unidentified += 1
            day = date_of(stated.record) if stated.record else None
            if day is not None:
                self.first_day = min(self.first_day or day, day)
                self.last_day = max(self.last_day or day, day)

    def count(self, batch: list[StatedRow], verdicts: list[Verdict]) -> list[RejectedRow]:
        """Count a batch's outcomes; return its rejected rows."""
        self.skim(batch)
        rejected: list[RejectedRow] = []
        for stated, verdict in zip(batch, verdicts, strict=True):
            of_type = self.counts.setdefault(stated.record_type.value, {})
            of_type[verdict.outcome.value] = of_type.get(verdict.outcome.value, 0) + 1
            if verdict.record_id is not None and self.options.dry_run:
                self.seen.add(verdict.record_id)
            if verdict.outcome is Outcome.REJECTED:
                rejected.append(RejectedRow(stated.row.number, stated.row.cells, verdict.reasons))
        for row in rejected[: REJECTS_SHOWN_MAX - len(self.rejects)]:
            reasons = [reason.model_dump() for reason in row.reasons]
            self.rejects.append({"row": row.number, "reasons": reasons})
        return rejected

    def progress(self) -> dict[str, Any]:
        """Return the line that says how far the import got."""
        outcomes = self.outcomes
        return {
            "kind": "progress",
            "rows_done": sum(outcomes.values()),
            "rows_total": self.reading.survey.rows_total,
            "outcomes": outcomes,
        }


def batches_of(rows: Iterator[StatedRow]) -> Iterator[list[StatedRow]]:
    """Cut into batches; rows with one id stay together, so that they are decided together."""
    batch: list[StatedRow] = []
    characters = 0
    for stated in rows:
        same = batch and stated.identity is not None and stated.identity == batch[-1].identity
        is_full = len(batch) >= BATCH_ROWS or characters > BATCH_CHARACTERS_MAX
        if is_full and not same:
            yield batch
            batch, characters = [], 0
        batch.append(stated)
        characters += stated.row.characters
    if batch:
        yield batch
