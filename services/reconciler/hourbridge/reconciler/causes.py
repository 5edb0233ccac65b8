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
    """Why two things that should agree do not; ``target`` is the ledger that we posted to."""

    ROWS_UNACCOUNTED = "rows_unaccounted"
    SOURCE_TOTALS = "source_totals"
    SEQUENCE_GAP = "sequence_gap"
    RECORD_NOT_MAPPED = "record_not_mapped"
    CHARGE_NOT_CONSISTENT = "charge_not_consistent"
    BILLED_TWICE = "billed_twice"
    CORRECTION_MISSING = "correction_missing"
    DOCUMENT_NOT_POSTED = "document_not_posted"
    DOCUMENT_TOTAL = "document_total"
    ENTRY_UNBALANCED = "entry_unbalanced"
    RESIDUE_UNEXPLAINED = "residue_unexplained"
    PERIOD_CHANGED = "period_changed"
    RETAINER_OVERDRAWN = "retainer_overdrawn"
    TARGET_MISSING = "target_missing"
    TARGET_DELETED = "target_deleted"
    TARGET_VOID = "target_void"
    TARGET_EDIT = "target_edit"
    TARGET_TOTAL = "target_total"
    TARGET_ONLY = "target_only"
    TARGET_ROUNDING = "target_rounding"
    TARGET_CURRENCY_PRECISION = "target_currency_precision"
    TARGET_QUANTITY_PRECISION = "target_quantity_precision"
    LINE_GROUPING = "line_grouping"
    TAX_SCOPE = "tax_scope"
    TARGET_FX_ROUNDING = "target_fx_rounding"
    TARGET_RATE_PRECISION = "target_rate_precision"
    TARGET_FX_RATE = "target_fx_rate"


@dataclass(frozen=True)
class Meaning:
    """What a cause says, and the text with which it is resolved when it has gone."""

    level: Level
    says: str
    resolution: str
    is_explained: bool = False
    """Follows from how the other side reckons: nobody made a mistake, a period may be closed."""


_AGREES = "the ledger's amounts equal ours"
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
        "the lines and the tax of a document do not sum to its total",
        "lines and tax sum to the total",
    ),
    Cause.ENTRY_UNBALANCED: Meaning(
        Level.DOCUMENT,
        "the postings of an entry do not sum to zero",
        "the entry balances",
    ),
    Cause.RESIDUE_UNEXPLAINED: Meaning(
        Level.DOCUMENT,
        "the roundings of a line don't lead from its time to what it bills",
        "every second between worked and billed has its rounding",
    ),
    Cause.PERIOD_CHANGED: Meaning(
        Level.DOCUMENT,
        "the totals of a closed period changed: it has to be reopened",
        "the closed period's totals are as they were stored",
    ),
    Cause.RETAINER_OVERDRAWN: Meaning(
        Level.DOCUMENT,
        "more was taken from a retainer than was paid in",
        "the retainer's movements leave nothing below zero",
    ),
    Cause.TARGET_MISSING: Meaning(
        Level.LEDGER,
        "a document counts as posted and has no place in the ledger",
        "the document has its place in the ledger",
    ),
    Cause.TARGET_DELETED: Meaning(
        Level.LEDGER,
        "a posted document no longer exists in the ledger",
        "the ledger holds the document again",
    ),
    Cause.TARGET_VOID: Meaning(
        Level.LEDGER,
        "a posted document was voided in the ledger",
        "the document is no longer void in the ledger",
    ),
    Cause.TARGET_EDIT: Meaning(
        Level.LEDGER,
        "somebody changed a posted document in the ledger",
        "the ledger's document equals ours again",
    ),
    Cause.TARGET_TOTAL: Meaning(
        Level.LEDGER,
        "the ledger computed another total when the document was posted",
        _AGREES,
    ),
    Cause.TARGET_ONLY: Meaning(
        Level.LEDGER,
        "the ledger holds a document of our customers that we did not post: suspected duplicate",
        "the document left the ledger or became ours",
    ),
    Cause.TARGET_ROUNDING: Meaning(
        Level.LEDGER,
        "the ledger rounds amounts in another way",
        _AGREES,
        is_explained=True,
    ),
    Cause.TARGET_CURRENCY_PRECISION: Meaning(
        Level.LEDGER,
        "the ledger keeps the currency at other decimals than ISO 4217",
        _AGREES,
        is_explained=True,
    ),
    Cause.TARGET_QUANTITY_PRECISION: Meaning(
        Level.LEDGER,
        "the ledger cuts quantities to fewer decimals",
        _AGREES,
        is_explained=True,
    ),
    Cause.LINE_GROUPING: Meaning(
        Level.LEDGER,
        "the ledger priced equal lines together, we each by itself",
        _AGREES,
        is_explained=True,
    ),
    Cause.TAX_SCOPE: Meaning(
        Level.LEDGER,
        "the ledger rounds tax per line and we per document, or the other way round",
        _AGREES,
        is_explained=True,
    ),
    Cause.TARGET_FX_ROUNDING: Meaning(
        Level.LEDGER,
        "the ledger converts line by line; what is left stands on its exchange account",
        _AGREES,
        is_explained=True,
    ),
    Cause.TARGET_RATE_PRECISION: Meaning(
        Level.LEDGER,
        "the ledger keeps the exchange rate at fewer digits, or as a rounded inverse",
        _AGREES,
        is_explained=True,
    ),
    Cause.TARGET_FX_RATE: Meaning(
        Level.LEDGER,
        "the ledger converted with another exchange rate than ours",
        _AGREES,
    ),
}

LEDGER_CAUSES = frozenset(
    cause for cause, meaning in MEANINGS.items() if meaning.level is Level.LEDGER
)


DOCUMENT_CAUSES = (LEDGER_CAUSES - {Cause.TARGET_ONLY}) | {
    Cause.DOCUMENT_NOT_POSTED,
    Cause.DOCUMENT_TOTAL,
    Cause.CORRECTION_MISSING,
    Cause.ENTRY_UNBALANCED,
    Cause.RESIDUE_UNEXPLAINED,
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
