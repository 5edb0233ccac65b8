"""One attempt at one ledger write: outside any transaction, from operation to outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

import structlog

from hourbridge.common.book import LedgerBinding
from hourbridge.common.clock import Clock
from hourbridge.common.errors import (
    DocumentNumberTaken,
    HourbridgeError,
    LedgerAuthorizationExpired,
    LedgerError,
    LedgerOutcomeUnknown,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    PeriodClosed,
)
from hourbridge.common.faults import fault_point
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.money import RoundingMode, round_digits
from hourbridge.connectors.ledger import (
    Ledger,
    LedgerDocument,
    LedgerWrite,
    WriteKind,
    Written,
)
from hourbridge.connectors.statements import (
    MIRRORED_KINDS,
    number_in_ledger,
    stated_amounts,
)
from hourbridge.poster.fault_points import LEDGER_SEARCHED, LEDGER_WRITTEN
from hourbridge.poster.lanes.in_place import reason_against
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.lanes.outcomes import Declined, Outcome, Parked, Posted, Unknown, Waiting
from hourbridge.poster.lanes.settling import UNPOSTED, must_wait, waits_for
from hourbridge.poster.metrics import LEDGER_REQUESTS

log = structlog.get_logger(__name__)
Result = TypeVar("Result")
OpenLedger = Callable[[LedgerBinding], Ledger]
_MINUTES_PER_HOUR = 60
_WORTH_A_BATCH = 3
"""Fewer go one by one: batches are rationed more tightly than calls."""
_REFUSED_IN_PLACE = {
    "document_missing": "somebody deleted or voided it in the ledger: release it to post it anew",
    "edit_token_stale": "somebody changed it in the ledger: release it to state ours over that",
    "document_sent": "it was sent to somebody",
    "document_paid": "it is paid, in part or whole",
    "time_billed": "the ledger counts the time as billed: credit or change its invoice first",
    "period_closed": "its period is closed in the books",
}


class Sender:
    """Sends operations of one ledger. Used by one thread."""

    def __init__(self, ledger: Ledger, clock: Clock, *, closed_books_seconds: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._closed_books_seconds = closed_books_seconds
        self._closed_through: date | None = None
        self._closed_read_at: float | None = None

    def send(self, taken: Taken) -> Outcome:
        """Return what the attempt came to; never raises for what a ledger does."""
        outcome = self._guarded(taken, self._attempt)
        LEDGER_REQUESTS.labels(taken.kind, type(outcome).__name__.lower()).inc()
        return outcome

    @property
    def batched_kinds(self) -> frozenset[DocumentKind]:
        """Which kinds of documents the ledger takes many of in one call."""
        return self._ledger.capabilities.batched_kinds

    @property
    def batch_writes_max(self) -> int:
        """How many operations one call takes at most."""
        return self._ledger.capabilities.batch_writes_max

    def send_many(self, operations: Sequence[Taken]) -> list[Outcome]:
        """Return what became of each, in order; all in one call if there are enough of them."""
        if len(operations) < _WORTH_A_BATCH:
            return [self.send(taken) for taken in operations]
        outcomes: dict[int, Outcome] = {}
        writes: dict[int, LedgerWrite] = {}
        for taken in operations:
            made = self._guarded(taken, self._made_ready)
            if isinstance(made, LedgerWrite):
                writes[taken.id] = made
            else:
                outcomes[taken.id] = made
        written = self._ledger.write_many(list(writes.values())) if writes else []
        fault_point(LEDGER_WRITTEN)
        by_id = {taken.id: taken for taken in operations}
        for identity, result in zip(writes, written, strict=True):
            outcomes[identity] = self._outcome_of_one(by_id[identity], writes[identity], result)
        for taken in operations:
            name = type(outcomes[taken.id]).__name__.lower()
            LEDGER_REQUESTS.labels(taken.kind, name).inc()
        return [outcomes[taken.id] for taken in operations]

    def _outcome_of_one(self, taken: Taken, write: LedgerWrite, result: Written) -> Outcome:
        if isinstance(result, LedgerDocument):
            return Posted(result, can_link=self._can_link(write.kind))
        return self._outcome_of(taken, result)

    def _made_ready(self, taken: Taken) -> LedgerWrite | Outcome:
        """Return the write of an operation that was certainly never sent, or why there is none."""
        if taken.kind == "create":
            self._require_open_period(taken, taken.document.document_date)
            return self._intended(taken, WriteKind.CREATE)
        current = self._current(taken)
        if current is None and taken.kind == "delete":
            return Posted(_gone(taken), is_adopted=True)
        reason = self._against(taken, current)
        if reason is not None:
            return Parked(reason, _REFUSED_IN_PLACE[reason])
        kind = WriteKind.DELETE if taken.kind == "delete" else WriteKind.UPDATE
        return self._intended(taken, kind, current)

    def problems(self) -> list[str]:
        """Return why the ledger can't be used now (the probe of a stopped lane)."""
        try:
            return list(self._ledger.check())
        except LedgerError as error:
            return [str(error)]

    def _guarded(self, taken: Taken, attempt: Callable[[Taken], Result]) -> Result | Outcome:
        """Return what ``attempt`` returns, or the outcome that its error means."""
        try:
            return attempt(taken)
        except HourbridgeError as error:
            return self._outcome_of(taken, error)
        except Exception as error:  # noqa: BLE001 - a defect after a write must not lose its outcome
            log.exception("ledger_write_failed", document=taken.document.document_id)
            return Unknown("defect", repr(error))

    def _attempt(self, taken: Taken) -> Outcome:
        if taken.unposted and (taken.kind == "apply" or must_wait(taken.document)):
            return Parked(UNPOSTED, waits_for(taken.unposted).detail)
        if taken.kind == "apply":
            return self._apply(taken)
        if taken.kind == "create":
            return self._create(taken)
        if taken.kind == "restore":
            return self._restore(taken)
        if taken.kind == "delete":
            return self._delete(taken)
        return self._update_in_place(taken)

    def _create(self, taken: Taken) -> Outcome:
        """Create, after a search for what an earlier attempt may have left.

        Whether the ledger would remember the key does not matter: the search is cheap.
        """
        if taken.was_uncertain:
            found = self._ledger.find(taken.document)
            fault_point(LEDGER_SEARCHED)
            if found is not None:
                return self._adopt(found)
        self._require_open_period(taken, taken.document.document_date)
        return self._write(taken, WriteKind.CREATE)

    def _restore(self, taken: Taken) -> Outcome:
        """Bring the ledger back to our version: over an edit, or again after a deletion."""
        current = self._current(taken)
        if current is None:
            return self._create(taken)
        if says_the_same(taken.document, current):
            return Posted(current, is_adopted=True, can_link=self._can_link(WriteKind.CREATE))
        self._require_open_period(taken, taken.document.document_date, current.document_date)
        return self._write(taken, WriteKind.UPDATE, current)

    def _apply(self, taken: Taken) -> Outcome:
        """Link a credit to what it settles and attach receipts; the ledger is read first."""
        current = self._current(taken)
        if current is None:
            return Declined("document_missing", "the document is not in the ledger any more")
        return self._write(taken, WriteKind.APPLY, current)

    def _update_in_place(self, taken: Taken) -> Outcome:
        current = self._current(taken)
        if current is not None and taken.was_uncertain and says_the_same(taken.document, current):
            return Posted(current, is_adopted=True)
        reason = self._against(taken, current)
        if taken.document.kind in MIRRORED_KINDS and reason is not None:
            return Parked(reason, _REFUSED_IN_PLACE[reason])
        if reason == "edit_token_stale" and taken.was_uncertain:
            detail = "changed in the ledger, by us or by somebody else: compare the two versions"
            return Parked(reason, detail, may_be_in_ledger=True)
        if current is None or reason is not None:
            return Declined(reason or "document_missing", "the ledger's document can't be updated")
        return self._write(taken, WriteKind.UPDATE, current)

    def _delete(self, taken: Taken) -> Outcome:
        """Delete what should not be there; one that somebody changed waits for a person."""
        current = self._current(taken)
        if current is None:
            return Posted(_gone(taken), is_adopted=True)
        reason = self._against(taken, current)
        if reason is not None and reason != "document_missing":
            return Parked(reason, _REFUSED_IN_PLACE[reason])
        return self._write(taken, WriteKind.DELETE, current)

    def _against(self, taken: Taken, current: LedgerDocument | None) -> str | None:
        """Return why the document must not be touched; a person may decide about edits."""
        closed = _later(self._closed(), taken.closed_through)
        decided = current is not None and bool(taken.detail.get("decided"))
        known = current.edit_token if current and decided else taken.known_token
        return reason_against(current, known, closed)

    def _current(self, taken: Taken) -> LedgerDocument | None:
        if taken.ledger_id is None:
            return None
        return self._ledger.read(taken.document.kind, taken.ledger_id)

    def _write(
        self, taken: Taken, kind: WriteKind, current: LedgerDocument | None = None
    ) -> Posted:
        written = self._ledger.write(self._intended(taken, kind, current))
        fault_point(LEDGER_WRITTEN)
        return Posted(written, can_link=self._can_link(kind))

    def _intended(
        self, taken: Taken, kind: WriteKind, current: LedgerDocument | None = None
    ) -> LedgerWrite:
        key = taken.operation_key
        if taken.kind == "restore":  # the same intent may turn out as either write
            key = derive_key(key, kind, length=len(key))
        return LedgerWrite(
            operation_key=key,
            kind=kind,
            document=taken.document,
            ledger_id=current.ledger_id if current else None,
            edit_token=current.edit_token if current else None,
            applies_to_ledger_id=taken.applies_to,
            settles=taken.settles,
            files=taken.files,
            time_links=taken.time_links,
            is_repeat=taken.was_uncertain,
        )

    def _can_link(self, kind: WriteKind) -> bool:
        return kind is not WriteKind.APPLY and self._ledger.capabilities.links_documents

    def _require_open_period(self, taken: Taken, *days: date) -> None:
        closed = _later(self._closed(), taken.closed_through)
        if closed is not None and min(days) <= closed:
            raise PeriodClosed(
                f"the books are closed through {closed}", reason_code="period_closed"
            )

    def _closed(self) -> date | None:
        now = self._clock.monotonic_seconds()
        if self._closed_read_at is None or now - self._closed_read_at > self._closed_books_seconds:
            self._closed_through = self._ledger.closed_through()
            self._closed_read_at = now
        return self._closed_through

    def _outcome_of(self, taken: Taken, error: HourbridgeError) -> Outcome:
        detail = str(error)
        if isinstance(error, LedgerThrottled):
            return Waiting(error.code, detail, "throttled", float(error.retry_after_seconds))
        if isinstance(error, LedgerUnavailable):
            return Waiting(error.code, detail, "paused")
        if isinstance(error, LedgerAuthorizationExpired):
            return Waiting(error.code, detail, "parked")
        if isinstance(error, LedgerOutcomeUnknown) or not isinstance(error, LedgerError):
            return Unknown(error.code, detail)
        return self._refusal(taken, error)

    def _refusal(self, taken: Taken, error: LedgerError) -> Outcome:
        detail = error.what
        is_mirrored = taken.document.kind in MIRRORED_KINDS
        if taken.kind == "apply" or (taken.kind == "update" and not is_mirrored):
            return Declined(error.code, detail)
        if isinstance(error, PeriodClosed):
            return Parked("period_closed", detail, self._first_open_day(taken))
        if isinstance(error, DocumentNumberTaken) and taken.kind == "create":
            return self._number_taken(taken, detail)
        code = error.reason_code if type(error) is LedgerRejected else error.code
        return Parked(code, detail)

    def _number_taken(self, taken: Taken, detail: str) -> Outcome:
        """Whose is the document with our number? An earlier attempt's, or somebody else's."""
        try:
            found = self._ledger.find(taken.document)
        except LedgerError as error:
            return Unknown(error.code, str(error))
        if found is None:
            return Parked("document_number_taken", detail)
        return self._adopt(found)

    def _adopt(self, found: LedgerDocument) -> Outcome:
        if found.is_ours:
            return Posted(found, is_adopted=True, can_link=self._can_link(WriteKind.CREATE))
        return Parked(
            "document_number_taken",
            f"{found.number} in the ledger (id {found.ledger_id}) is not this document",
        )

    def _first_open_day(self, taken: Taken) -> date | None:
        self._closed_read_at = None
        try:
            closed = _later(self._closed(), taken.closed_through)
        except LedgerError:
            return None
        return None if closed is None else closed + timedelta(days=1)


def _later(one: date | None, other: date | None) -> date | None:
    """Return the later of two closing dates; either may be absent."""
    return max(filter(None, (one, other)), default=None)


def says_the_same(document: Document, found: LedgerDocument) -> bool:
    """Return whether the ledger's document has our number, total and line amounts."""
    return (
        not found.is_void
        and found.number == number_in_ledger(document)
        and found.total == document.total
        and (found.document_date == document.document_date or not _is_mirrored(document))
        and stated_amounts(document) == found_amounts(found)
    )


def found_amounts(found: LedgerDocument) -> list[Decimal]:
    """Return the amounts of a ledger's lines as ``stated_amounts`` tells ours."""
    if found.kind is DocumentKind.TIME_ACTIVITY:
        hours = (line.quantity or Decimal(0) for line in found.lines)
        return sorted(
            round_digits(each * _MINUTES_PER_HOUR, 0, RoundingMode.HALF_UP) for each in hours
        )
    return sorted(line.amount for line in found.lines)


def _is_mirrored(document: Document) -> bool:
    return document.kind in MIRRORED_KINDS


def _gone(taken: Taken) -> LedgerDocument:
    """Return what is known of a document that was deleted before we could do it."""
    document = taken.document
    return LedgerDocument(
        ledger_id=taken.ledger_id or "",
        kind=document.kind,
        number=document.number,
        customer_id=None,
        currency=document.currency,
        document_date=document.document_date,
        total=Decimal(0),
        open_balance=None,
        edit_token=taken.known_token or "",
        email_status=None,
        lines=(),
        is_ours=True,
        is_deleted=True,
    )
