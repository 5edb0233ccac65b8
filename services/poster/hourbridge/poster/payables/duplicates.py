"""Expenses that the ledger may have already: by a card feed, or entered there by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.errors import LedgerError
from hourbridge.common.messages.events import Charge, DocumentKind
from hourbridge.common.money import decimal_text, round_money
from hourbridge.connectors.ledger import Ledger, LedgerDocument
from hourbridge.poster.lanes.sending import OpenLedger
from hourbridge.poster.payables.bill_store import WaitingCharge
from hourbridge.poster.payables.holds import SUSPECTED, Question, facts_of

_KINDS = (DocumentKind.CREDIT_CARD_CHARGE, DocumentKind.CHECK, DocumentKind.VENDOR_BILL)
_WORDS = {
    DocumentKind.CREDIT_CARD_CHARGE: "a card expense",
    DocumentKind.CHECK: "a check",
    DocumentKind.VENDOR_BILL: "a bill that somebody entered",
}


@dataclass(frozen=True)
class Owed:
    """What one record makes us owe, in all."""

    record_id: str
    charges: tuple[Charge, ...]

    @property
    def amount(self) -> Decimal:
        """Return what was spent, recoverable tax included."""
        return round_money(sum(map(_spent, self.charges), Decimal(0)), self.currency)

    @property
    def currency(self) -> str:
        """Return the currency of the debt."""
        return self.charges[0].currency

    @property
    def facts(self) -> str:
        """Return a text that changes when the debt does."""
        return facts_of(self.charges)

    @property
    def is_expense(self) -> bool:
        """Return whether it was spent, not worked."""
        return self.charges[0].kind == "expense"

    @property
    def vendor(self) -> LedgerReference:
        """Return who is owed."""
        owed = self.charges[0].payable
        return owed.vendor if owed else LedgerReference(name="-")

    @property
    def amount_text(self) -> str:
        """Return the amount with its currency."""
        return f"{decimal_text(self.amount)} {self.currency}"


@dataclass(frozen=True)
class Examined:
    """What a look into the ledger found about a record's debt, as it was then."""

    facts: str
    question: Question | None = None


def owed_by_record(waiting: Iterable[WaitingCharge]) -> list[Owed]:
    """Return debts by record, in the order in which the records were accepted."""
    found: dict[str, list[WaitingCharge]] = {}
    for each in sorted(waiting, key=lambda w: (w.accepted_at, w.record_id, w.charge.charge_id)):
        found.setdefault(each.record_id, []).append(each)
    return [
        Owed(record_id, tuple(each.charge for each in members))
        for record_id, members in found.items()
    ]


class LedgerLook:
    """Looks for expenses in ledgers; reads only, and never within a transaction."""

    def __init__(self, ledgers: OpenLedger) -> None:
        self._ledgers = ledgers

    def examine(self, debts: Sequence[Owed]) -> dict[str, Examined]:
        """Return what the ledger says of each expense; raises LedgerError when it can't be read."""
        found = {debt.record_id: Examined(debt.facts) for debt in debts if not debt.is_expense}
        expenses = [debt for debt in debts if debt.is_expense]
        if expenses:
            found |= self._of_ledger(expenses[0].charges[0].ledger, expenses)
        return found

    def _of_ledger(self, binding: LedgerBinding, debts: Sequence[Owed]) -> dict[str, Examined]:
        ledger = self._ledgers(binding)
        try:
            days = sorted({charge.work_date for debt in debts for charge in debt.charges})
            held = _others(ledger, days[0], days[-1])
            return {
                debt.record_id: Examined(debt.facts, _question(ledger, debt, held))
                for debt in debts
            }
        finally:
            ledger.close()


def _others(
    ledger: Ledger, first: date, last: date
) -> Mapping[tuple[date, Decimal], list[LedgerDocument]]:
    """Return what others entered in the ledger, by day and amount."""
    found: dict[tuple[date, Decimal], list[LedgerDocument]] = {}
    readable = ledger.capabilities.document_kinds | ledger.capabilities.read_only_kinds
    for kind in _KINDS:
        if kind not in readable:
            continue
        for document in ledger.documents(kind, first, last):
            if not document.is_ours and not document.is_void:
                key = (document.document_date, document.total)
                found.setdefault(key, []).append(document)
    return found


def _question(
    ledger: Ledger, debt: Owed, held: Mapping[tuple[date, Decimal], list[LedgerDocument]]
) -> Question | None:
    day = max(charge.work_date for charge in debt.charges)
    for document in held.get((day, debt.amount), ()):
        is_like = document.currency in (None, debt.currency)
        if is_like and _same_vendor(ledger, debt, document):
            return _suspicion(debt, document)
    return None


def _same_vendor(ledger: Ledger, debt: Owed, document: LedgerDocument) -> bool:
    """Return whether a ledger's document may be about the same payee; unnamed ones may be.

    An employee is owed what a card feed names the merchant for, so the expense's text counts too.
    """
    if document.vendor_id is None:
        return True
    try:
        ours = ledger.resolve("vendor", debt.vendor)
        theirs = ledger.resolve("vendor", LedgerReference(id=document.vendor_id))
    except LedgerError:
        return True
    if ours is not None and ours.ledger_id == document.vendor_id:
        return True
    texts = [(charge.description or "").casefold() for charge in debt.charges]
    return theirs is not None and any(theirs.name.casefold() in text for text in texts)


def _suspicion(debt: Owed, document: LedgerDocument) -> Question:
    what = _WORDS[document.kind]
    named = f" {document.number}" if document.number else ""
    return Question(
        code=SUSPECTED,
        subject=f"{debt.vendor.name or debt.vendor.id} {debt.amount_text}",
        detail=(
            f"{debt.amount_text} of {document.document_date} to the same payee is in the ledger "
            f"already: {what}{named} (id {document.ledger_id})"
        ),
        matched={
            "kind": document.kind,
            "ledger_id": document.ledger_id,
            "number": document.number,
            "amount": decimal_text(document.total),
        },
    )


def _spent(charge: Charge) -> Decimal:
    tax = charge.cost.tax if charge.cost is not None else None
    return (charge.amount or Decimal(0)) + (tax or Decimal(0))
