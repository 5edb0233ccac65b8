"""Corrections of posted bills: credits and further bills; a vendor's own bill is asked about.

A bill that the vendor numbered says what the vendor demands: when our statement of it changes, a
person decides whether the bill stays as it is. Bills that follow from worked hours are put right.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.money import decimal_text
from hourbridge.common.store.rows import statement
from hourbridge.poster import line_store
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.correction_plan import without_charges
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.payables import bill_store, holds
from hourbridge.poster.payables.bill_changes import (
    BillPlan,
    Standing,
    changed_facts,
    correcting_bill,
    plan_bill,
    plan_in_full,
)
from hourbridge.poster.payables.biller import BillMaker
from hourbridge.poster.payables.holdback_store import released_by_line
from hourbridge.poster.payables.holds import BILL_CHANGED, Question

_STANDING = statement(
    """
    SELECT l.line_id, l.amount + coalesce(sum(a.amount), 0) AS amount
    FROM document_line l
    LEFT JOIN document_line a
        ON a.is_live AND (a.credits_line_id = l.line_id OR a.supplements_line_id = l.line_id)
    WHERE l.document_id = :document_id AND l.is_live
    GROUP BY l.line_id
    """
)
_RECORDS = statement("SELECT DISTINCT record_id FROM charge WHERE charge_id = ANY(:charges)")


class BillCorrector:
    """Puts posted bills right in the caller's transaction, under the vendor's lock."""

    def __init__(self, documents: DocumentStore, bills: BillMaker, clock: Clock) -> None:
        self._documents = documents
        self._bills = bills
        self._clock = clock

    def bill_again(self, connection: Connection, held: HeldDocument) -> None:
        """Make the bill of a group anew, after one that was never posted was withdrawn."""
        scope = BillingScope(held.book, held.billed_through)
        self._bills.bill_groups(connection, scope, held.engagement_key, [held.group_key], None)

    def correct(self, connection: Connection, held: HeldDocument) -> None:
        """Look at a posted bill whose charges changed."""
        standing = _standing(connection, held)
        charges = line_store.lock_charges(connection, held.document.document_id)
        plan = plan_bill(standing, charges)
        if not plan.changed:
            return
        if held.document.vendor_bill_number is None or self._agreed(connection, held, plan):
            self._carry_out(connection, held, standing, plan)

    def credit_in_full(self, connection: Connection, held: HeldDocument) -> str | None:
        """Take a posted bill back whole; what it was for is owed again and on no bill.

        Returns the vendor credit's id, None when nothing stood any more.
        """
        standing = _standing(connection, held)
        charges = line_store.lock_charges(connection, held.document.document_id)
        plan = plan_in_full(standing, charges)
        bill_store.free_number(connection, held.document.document_id)
        holds.forget(connection, _records(connection, [c.charge_id for c in plan.leaving]))
        return self._carry_out(connection, held, standing, plan)

    def _agreed(self, connection: Connection, held: HeldDocument, plan: BillPlan) -> bool:
        """Return whether a person let a vendor's bill be changed; else ask."""
        facts = holds.facts_of(changed_facts(plan))
        records = _records(connection, plan.changed)
        known = holds.known(connection, records)
        if any(h.facts == facts and h.state == "new" for h in known.values()):
            return True
        if any(h.facts == facts and h.state == "kept" for h in known.values()) or not records:
            return False
        question = _question(held, plan)
        now = self._clock.now()
        holds.ask(connection, held.book, records[0], question, facts=facts, now=now)
        return False

    def _carry_out(
        self, connection: Connection, held: HeldDocument, standing: Standing, plan: BillPlan
    ) -> str | None:
        now = self._clock.now()
        leaving = {charge.charge_id for charge in plan.leaving}
        line_store.take_off(connection, leaving, now)
        line_store.reflect(connection, [charge.to_json() for charge in plan.staying])
        made = self._issue(connection, held, standing, plan) if plan.changes else None
        if leaving:
            self._documents.save(
                connection,
                held,
                proposed_date=held.proposed_date,
                lines=without_charges(held.document, leaving),
            )
        return made

    def _issue(
        self, connection: Connection, held: HeldDocument, standing: Standing, plan: BillPlan
    ) -> str:
        prefix, _, _ = held.document.number.rpartition("-")
        (number,) = self._documents.allocate_numbers(connection, held.ledger_key, prefix, 1)
        day = self._today(connection, held.book)
        document, lines = correcting_bill(standing, plan, number=number, day=day)
        new = NewDocument(document, lines, held.engagement_key, held.group_key, held.billed_through)
        self._bills.add(connection, held.book, [new])
        return document.document_id

    def _today(self, connection: Connection, book: str) -> date:
        configured = configuration_of(connection, book)
        zone = configured.configuration.zone if configured else "UTC"
        return self._clock.now().astimezone(ZoneInfo(zone)).date()


def _standing(connection: Connection, held: HeldDocument) -> Standing:
    document_id = held.document.document_id
    rows = connection.execute(_STANDING, {"document_id": document_id})
    amounts: dict[str, Decimal] = {row.line_id: row.amount for row in rows}
    return Standing(held.document, amounts, released_by_line(connection, document_id))


def _records(connection: Connection, charges: list[str] | tuple[str, ...]) -> list[str]:
    return sorted(connection.execute(_RECORDS, {"charges": list(charges)}).scalars())


def _question(held: HeldDocument, plan: BillPlan) -> Question:
    document = held.document
    vendor = (document.vendor.name or document.vendor.id or "") if document.vendor else ""
    number, currency = document.vendor_bill_number, document.currency
    standing = f"{decimal_text(plan.standing)} {currency}"
    stated = f"{decimal_text(plan.stated)} {currency}"
    return Question(
        code=BILL_CHANGED,
        subject=f"{vendor} {number}",
        detail=f"bill {number} of {vendor} stands as {document.number} over {standing}; "
        f"it was stated again over {stated}",
        matched={
            "standing": standing,
            "stated": stated,
            "document_id": document.document_id,
            "number": document.number,
        },
    )
