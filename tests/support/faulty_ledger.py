"""A ledger in memory with everything that can go wrong in one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import (
    DocumentMissing,
    DocumentNumberTaken,
    EditTokenStale,
    LedgerAuthorizationExpired,
    LedgerError,
    LedgerOutcomeUnknown,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    PeriodClosed,
)
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.connectors.ledger import (
    Capabilities,
    LedgerDocument,
    LedgerEntity,
    LedgerLine,
    LedgerWrite,
    WriteKind,
    Written,
)


@dataclass
class Lost:
    """The next answer does not arrive; the write did or did not take effect."""

    took_effect: bool


class MemoryLedger:
    """A ledger in memory with everything that can go wrong, one fault per coming write."""

    def __init__(self, *, remembers_keys: bool = True) -> None:
        self.held: dict[str, LedgerDocument] = {}
        self.faults: list[Lost | Exception | None] = []
        self.closed: date | None = None
        self.remembers_keys = remembers_keys
        self.writes: list[LedgerWrite] = []
        self.finds = 0
        self.total_off = Decimal(0)
        self.usable_again: list[str] = []
        self._answers: dict[str, str] = {}
        self._count = 0

    # --- what people do there ---------------------------------------------------------------

    def edit(self, ledger_id: str, **changes: Any) -> None:
        """Change a document as a person would: its edit token moves on."""
        found = self.held[ledger_id]
        token = str(int(found.edit_token) + 1)
        self.held[ledger_id] = replace(found, edit_token=token, **changes)

    def delete(self, ledger_id: str) -> None:
        """Delete a document as a person would."""
        del self.held[ledger_id]

    def of_kind(self, kind: DocumentKind) -> list[LedgerDocument]:
        """Return all documents of a kind."""
        return [document for document in self.held.values() if document.kind is kind]

    # --- the protocol -----------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities("memory", 50, 21, 86_400, 7, 5, amount_is_quantity_times_price=True)

    def write(self, write: LedgerWrite) -> LedgerDocument:
        self.writes.append(write)
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if isinstance(fault, Lost) and not fault.took_effect:
            raise LedgerOutcomeUnknown("no answer")
        written = self._carry_out(write)
        if isinstance(fault, Lost):
            raise LedgerOutcomeUnknown("no answer")
        return written

    def write_many(self, writes: Sequence[LedgerWrite]) -> list[Written]:
        outcomes: list[Written] = []
        for write in writes:
            try:
                outcomes.append(self.write(write))
            except LedgerError as error:
                outcomes.append(error)
        return outcomes

    def _carry_out(self, write: LedgerWrite) -> LedgerDocument:
        if self.remembers_keys and write.operation_key in self._answers:
            return self.held[self._answers[write.operation_key]]
        document = write.document
        if self.closed is not None and document.document_date <= self.closed:
            raise PeriodClosed("account period has closed", reason_code="6210")
        if write.kind is WriteKind.CREATE:
            taken = any(d.number == document.number for d in self.of_kind(document.kind))
            if taken:
                raise DocumentNumberTaken("duplicate number", reason_code="6140")
            self._count += 1
            ledger_id, token = str(self._count), "0"
        else:
            current = self.held.get(str(write.ledger_id))
            if current is None:
                raise DocumentMissing("gone", reason_code="610")
            if current.edit_token != write.edit_token:
                raise EditTokenStale("stale", reason_code="5010")
            ledger_id, token = current.ledger_id, str(int(current.edit_token) + 1)
        self.held[ledger_id] = self._stored(document, ledger_id, token)
        self._answers[write.operation_key] = ledger_id
        return self.held[ledger_id]

    def _stored(self, document: Document, ledger_id: str, token: str) -> LedgerDocument:
        total = document.total + self.total_off
        return LedgerDocument(
            ledger_id=ledger_id,
            kind=document.kind,
            number=document.number,
            customer_id="1",
            currency=document.currency,
            document_date=document.document_date,
            total=total,
            open_balance=total,
            edit_token=token,
            email_status="NotSet",
            lines=tuple(
                LedgerLine(x.position, x.description, None, x.quantity, x.unit_price, x.amount)
                for x in document.lines
            ),
            private_note=f"hourbridge:{document.document_id}",
        )

    def find(self, document: Document) -> LedgerDocument | None:
        self.finds += 1
        note = f"hourbridge:{document.document_id}"
        same_kind = self.of_kind(document.kind)
        for found in same_kind:
            if found.private_note == note:
                return replace(found, is_ours=True)
        return next((d for d in same_kind if d.number == document.number), None)

    def read(self, kind: DocumentKind, ledger_id: str) -> LedgerDocument | None:
        found = self.held.get(ledger_id)
        return found if found is not None and found.kind is kind else None

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        yield from (d for d in self.of_kind(kind) if first <= d.document_date <= last)

    def closed_through(self) -> date | None:
        return self.closed

    def entities(self, kind: str) -> Iterator[LedgerEntity]:
        yield from ()

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        return LedgerEntity(kind, "1", reference.name or "")

    def check(self) -> Sequence[str]:
        return self.usable_again

    def close(self) -> None:
        return


def unavailable() -> LedgerUnavailable:
    return LedgerUnavailable("maintenance")


def throttled(seconds: int) -> LedgerThrottled:
    return LedgerThrottled("too many requests", retry_after_seconds=seconds)


def disconnected() -> LedgerAuthorizationExpired:
    return LedgerAuthorizationExpired("invalid_grant")


def rejected(code: str) -> LedgerRejected:
    return LedgerRejected("refused", reason_code=code)
