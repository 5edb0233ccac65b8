"""One attempt at one ledger write: outside any transaction, from operation to outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

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
from hourbridge.common.messages.events import Document
from hourbridge.connectors.ledger import Ledger, LedgerDocument, LedgerWrite, WriteKind
from hourbridge.connectors.statements import number_in_ledger, stated_amounts
from hourbridge.poster.fault_points import LEDGER_SEARCHED, LEDGER_WRITTEN
from hourbridge.poster.lanes.in_place import reason_against
from hourbridge.poster.lanes.lane_store import Taken
from hourbridge.poster.lanes.outcomes import Declined, Outcome, Parked, Posted, Unknown, Waiting
from hourbridge.poster.lanes.settling import UNPOSTED, must_wait, waits_for
from hourbridge.poster.metrics import LEDGER_REQUESTS

log = structlog.get_logger(__name__)
OpenLedger = Callable[[LedgerBinding], Ledger]


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
        try:
            outcome = self._attempt(taken)
        except HourbridgeError as error:
            outcome = self._outcome_of(taken, error)
        except Exception as error:  # noqa: BLE001 - a defect after a write must not lose its outcome
            log.exception("ledger_write_failed", document=taken.document.document_id)
            outcome = Unknown("defect", repr(error))
        LEDGER_REQUESTS.labels(taken.kind, type(outcome).__name__.lower()).inc()
        return outcome

    def problems(self) -> list[str]:
        """Return why the ledger can't be used now (the probe of a stopped lane)."""
        try:
            return list(self._ledger.check())
        except LedgerError as error:
            return [str(error)]

    def _attempt(self, taken: Taken) -> Outcome:
        if taken.unposted and (taken.kind == "apply" or must_wait(taken.document)):
            return Parked(UNPOSTED, waits_for(taken.unposted).detail)
        if taken.kind == "apply":
            return self._apply(taken)
        if taken.kind == "create":
            return self._create(taken)
        if taken.kind == "restore":
            return self._restore(taken)
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
        closed = _later(self._closed(), taken.closed_through)
        reason = reason_against(current, taken.known_token, closed)
        if reason == "edit_token_stale" and taken.was_uncertain:
            detail = "changed in the ledger, by us or by somebody else: compare the two versions"
            return Parked(reason, detail, may_be_in_ledger=True)
        if current is None or reason is not None:
            return Declined(reason or "document_missing", "the ledger's document can't be updated")
        return self._write(taken, WriteKind.UPDATE, current)

    def _current(self, taken: Taken) -> LedgerDocument | None:
        if taken.ledger_id is None:
            return None
        return self._ledger.read(taken.document.kind, taken.ledger_id)

    def _write(
        self, taken: Taken, kind: WriteKind, current: LedgerDocument | None = None
    ) -> Posted:
        key = taken.operation_key
        if taken.kind == "restore":  # the same intent may turn out as either write
            key = derive_key(key, kind, length=len(key))
        written = self._ledger.write(
            LedgerWrite(
                operation_key=key,
                kind=kind,
                document=taken.document,
                ledger_id=current.ledger_id if current else None,
                edit_token=current.edit_token if current else None,
                applies_to_ledger_id=taken.applies_to,
                settles=taken.settles,
                files=taken.files,
                is_repeat=taken.was_uncertain,
            )
        )
        fault_point(LEDGER_WRITTEN)
        return Posted(written, can_link=self._can_link(kind))

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
        if taken.kind in ("update", "apply"):
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
        and stated_amounts(document) == sorted(line.amount for line in found.lines)
    )
