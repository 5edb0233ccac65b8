"""Causes of discrepancies: at which level each is found, what it means and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from hourbridge.common.ids import derive_id


class Level(StrEnum):
    """Between which two ends of the flow a difference was found."""

    SOURCE = "source"
    RECORD = "record"
    CHARGE = "charge"
    DOCUMENT = "document"
    LEDGER = "ledger"


class Cause(StrEnum):
    """Why two things that should agree do not."""

    ROWS_UNACCOUNTED = "rows_unaccounted"
    SOURCE_TOTALS = "source_totals"
    SEQUENCE_GAP = "sequence_gap"
    RECORD_NOT_MAPPED = "record_not_mapped"
    CHARGE_NOT_CONSISTENT = "charge_not_consistent"
    BILLED_TWICE = "billed_twice"
    CORRECTION_MISSING = "correction_missing"
    DOCUMENT_NOT_POSTED = "document_not_posted"
    DOCUMENT_TOTAL = "document_total"
    LEDGER_MISSING = "ledger_missing"
    LEDGER_DELETED = "ledger_deleted"
    LEDGER_VOID = "ledger_void"
    LEDGER_EDIT = "ledger_edit"
    LEDGER_TOTAL = "ledger_total"
    LEDGER_TOTAL_ROUNDING = "ledger_total_rounding"
    LEDGER_ONLY = "ledger_only"


@dataclass(frozen=True)
class Meaning:
    """What a cause says, and the text with which it is resolved when it has gone."""

    level: Level
    says: str
    resolution: str


MEANINGS: Mapping[Cause, Meaning] = {
    Cause.ROWS_UNACCOUNTED: Meaning(
        Level.SOURCE,
        "a reading's rows and the outcomes of its rows differ",
        "every row of the reading has one outcome",
    ),
    Cause.SOURCE_TOTALS: Meaning(
        Level.SOURCE,
        "what the source says it holds and the records accepted from it differ",
        "the source's totals and the accepted records agree",
    ),
    Cause.SEQUENCE_GAP: Meaning(
        Level.RECORD,
        "sequence numbers are missing although later ones arrived",
        "the missing sequence numbers arrived",
    ),
    Cause.RECORD_NOT_MAPPED: Meaning(
        Level.CHARGE,
        "a record was accepted and the mapper has not said what became of it",
        "the mapper reported the record",
    ),
    Cause.CHARGE_NOT_CONSISTENT: Meaning(
        Level.CHARGE,
        "the seconds of a record's charges are not those of the record",
        "record and charges agree",
    ),
    Cause.BILLED_TWICE: Meaning(
        Level.DOCUMENT,
        "a charge stands on more than one live document line",
        "the charge stands on one live line at most",
    ),
    Cause.CORRECTION_MISSING: Meaning(
        Level.DOCUMENT,
        "a posted line bills other time than its charges now hold, and nothing credits it",
        "line, charges and credits agree",
    ),
    Cause.DOCUMENT_NOT_POSTED: Meaning(
        Level.DOCUMENT,
        "a document has been on its way to the ledger for too long",
        "the document left the posting state",
    ),
    Cause.DOCUMENT_TOTAL: Meaning(
        Level.DOCUMENT,
        "the lines of a document do not sum to its total",
        "the lines sum to the total",
    ),
    Cause.LEDGER_MISSING: Meaning(
        Level.LEDGER,
        "a document counts as posted and has no place in the ledger",
        "the document has its place in the ledger",
    ),
    Cause.LEDGER_DELETED: Meaning(
        Level.LEDGER,
        "a posted document no longer exists in the ledger",
        "the ledger holds the document again",
    ),
    Cause.LEDGER_VOID: Meaning(
        Level.LEDGER,
        "a posted document was voided in the ledger",
        "the document is no longer void in the ledger",
    ),
    Cause.LEDGER_EDIT: Meaning(
        Level.LEDGER,
        "somebody changed a posted document in the ledger",
        "the ledger's document equals ours again",
    ),
    Cause.LEDGER_TOTAL: Meaning(
        Level.LEDGER,
        "the ledger computed another total when the document was posted",
        "the ledger's total equals ours",
    ),
    Cause.LEDGER_TOTAL_ROUNDING: Meaning(
        Level.LEDGER,
        "the ledger's own rounding gives another total",
        "the ledger's total equals ours",
    ),
    Cause.LEDGER_ONLY: Meaning(
        Level.LEDGER,
        "the ledger holds a document of our customers that we did not post: suspected duplicate",
        "the document left the ledger or became ours",
    ),
}

LEDGER_CAUSES = frozenset(
    cause for cause, meaning in MEANINGS.items() if meaning.level is Level.LEDGER
)


DOCUMENT_CAUSES = (LEDGER_CAUSES - {Cause.LEDGER_ONLY}) | {
    Cause.DOCUMENT_NOT_POSTED,
    Cause.DOCUMENT_TOTAL,
    Cause.CORRECTION_MISSING,
}
"""Causes whose subject is one document's id."""


@dataclass(frozen=True)
class Finding:
    """A difference found just now; ``discrepancy_id`` decides which discrepancy it is."""

    book: str
    cause: Cause
    subject: str
    expected: str | None = None
    found: str | None = None
    difference_seconds: int | None = None
    difference_amount: Decimal | None = None
    currency: str | None = None
    client: str | None = None
    project: str | None = None
    period: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def discrepancy_id(self) -> str:
        """Return the id that the same difference always has."""
        return derive_id("discrepancy", self.book, self.cause, self.subject)


@dataclass(frozen=True)
class Checked:
    """The outcome of one check: what it could judge, and what it found."""

    scope: str
    causes: frozenset[Cause]
    findings: tuple[Finding, ...] = ()
    undecided: frozenset[str] = frozenset()
    """Subjects in motion: neither found wrong nor proven right; left as they are."""
