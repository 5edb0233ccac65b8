"""What the changed charges of a posted document lead to: a pure plan, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hourbridge.billing.corrections import LineDelta, delta_description, line_delta, stays_on_line
from hourbridge.billing.pricing import price_line
from hourbridge.billing.tax_credits import StandingTax, credit_taxes
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.poster.document_store import HeldDocument
from hourbridge.poster.documents import NewLine
from hourbridge.poster.line_store import BilledCharge, StandingLine
from hourbridge.poster.taxing import retaxed


@dataclass(frozen=True)
class LinePlan:
    """One line: who stays, who leaves, and the difference that has to be put right."""

    standing: StandingLine
    staying: tuple[BilledCharge, ...]
    leaving: tuple[BilledCharge, ...]
    delta: LineDelta | None

    @property
    def newest_charge(self) -> Charge:
        """Return the charge that says to whom and how a supplement is billed."""
        if self.staying:
            return max((c.now for c in self.staying), key=lambda c: (c.work_date, c.charge_id))
        return self.leaving[-1].billed


def plan_lines(
    lines: Sequence[StandingLine], charges: Mapping[str, Sequence[BilledCharge]]
) -> list[LinePlan]:
    """Return the plan of every line that bills charges."""
    plans = []
    for standing in lines:
        on_line = charges.get(standing.posted.line_id, ())
        if not on_line:
            continue
        staying = tuple(c for c in on_line if _stays(c))
        leaving = tuple(c for c in on_line if not _stays(c))
        delta = line_delta(standing.posted, [charge.now for charge in staying])
        plans.append(LinePlan(standing, staying, leaving, delta))
    return plans


def without_charges(document: Document, leaving: set[str]) -> tuple[DocumentLine, ...]:
    """Return the lines of ``document`` without the charges that left; amounts as posted."""
    return tuple(
        line.model_copy(
            update={"charge_ids": tuple(c for c in line.charge_ids if c not in leaving)}
        )
        for line in document.lines
    )


def credit_memo(
    document: Document,
    plans: Sequence[LinePlan],
    *,
    number: str,
    day: date,
    is_draft: bool,
    standing_taxes: Mapping[str, StandingTax],
) -> tuple[Document, tuple[NewLine, ...]] | None:
    """Return the credit memo for what was billed too much, linked line by line; None for none.

    It takes back the tax with it, as the document was taxed; the last one takes what is left.
    """
    credits = [p.delta for p in plans if p.delta is not None and p.delta.direction == "credit"]
    if not credits:
        return None
    content = [f"{delta.line_id}:{delta.amount}" for delta in credits]
    document_id = derive_id("credit", document.document_id, number, *content)
    by_id = {line.line_id: line for line in document.lines}
    lines = [
        correction_line(by_id[delta.line_id], delta, document, document_id, position)
        for position, delta in enumerate(credits, start=1)
    ]
    taxed = credit_taxes(
        [(delta.line_id, line) for delta, line in zip(credits, lines, strict=True)],
        document.taxes,
        standing_taxes,
        document.currency,
    )
    memo = document.model_copy(
        update={
            "document_id": document_id,
            "version": 1,
            "kind": DocumentKind.CREDIT_MEMO,
            "status": DocumentStatus.DRAFT if is_draft else DocumentStatus.POSTING,
            "number": number,
            "generation": 1,
            "document_date": max(day, document.document_date),
            "due_date": None,
            "terms": None,
            "memo": f"Credit to {document.number}",
            "lines": taxed.lines,
            "taxes": taxed.taxes,
            "total": taxed.total,
            "discount": None,
            "email_wanted": False,
            "credits_document_id": document.document_id,
            "cut_off_at": None,
            "posted": None,
            "reason": None,
        }
    )
    kinds = {plan.standing.posted.line_id: plan.standing.posted.basis.kind for plan in plans}
    taken_back = tuple(
        _taken_back(line, kinds[delta.line_id])
        for delta, line in zip(credits, taxed.lines, strict=True)
    )
    return memo, taken_back


def _taken_back(line: DocumentLine, kind: str) -> NewLine:
    """Return a line of a credit as it counts in the books: less time, less money."""
    return NewLine(line, amount=-line.amount, seconds=-line.billed_seconds, charge_kind=kind)


def correction_line(
    line: DocumentLine, delta: LineDelta, document: Document, document_id: str, position: int
) -> DocumentLine:
    """Return the line that credits or supplements ``line`` by ``delta``."""
    is_credit = delta.direction == "credit"
    return line.model_copy(
        update={
            "line_id": derive_id("line", document_id, delta.direction, line.line_id),
            "position": position,
            "description": delta_description(
                delta, number=document.number, description=line.description
            ),
            "quantity": delta.quantity,
            "unit_price": delta.unit_price,
            "amount": delta.amount,
            "billed_seconds": delta.seconds,
            "worked_seconds": 0,
            "charge_ids": (),
            "credits_line_id": line.line_id if is_credit else None,
            "supplements_line_id": None if is_credit else line.line_id,
            "roundings": (),
            "discount": None,
            "adjustment": None,
            "capped_seconds": 0,
            "capped_amount": None,
            "tax_amount": None,
        }
    )


def may_update(held: HeldDocument, plans: Sequence[LinePlan]) -> bool:
    """Return whether a document can be put right by an update of its lines alone.

    Not after credits or supplements, nor where a line was billed at less than its price: what a
    person or a document's discount decided is not decided again.
    """
    return (
        not held.in_place_refused
        and any(plan.delta is not None for plan in plans)
        and not any(plan.standing.is_adjusted for plan in plans)
        and not any(plan.standing.posted.basis.list_amount is not None for plan in plans)
        and not any(line.capped_amount is not None for line in held.document.lines)
    )


def was_adjusted(document: Document) -> bool:
    """Return whether a person adjusted a document."""
    return any(line.adjustment is not None for line in document.lines)


def corrected_in_place(document: Document, plans: Sequence[LinePlan]) -> Document | None:
    """Return the document as it should be now; None when no line would be left."""
    planned = {plan.standing.posted.line_id: plan for plan in plans}
    lines: list[DocumentLine] = []
    for line in document.lines:
        plan = planned.get(line.line_id)
        repriced = line if plan is None else _repriced(line, plan)
        if repriced is not None:
            lines.append(repriced.model_copy(update={"position": len(lines) + 1}))
    if not lines:
        return None
    return document.model_copy(update=retaxed(document, lines))


def _repriced(line: DocumentLine, plan: LinePlan) -> DocumentLine | None:
    price = price_line([charge.now for charge in plan.staying], plan.standing.posted.basis)
    if price.quantity == 0:
        return None
    return line.model_copy(
        update={
            "quantity": price.quantity,
            "unit_price": price.unit_price,
            "amount": price.amount,
            "billed_seconds": price.billed_seconds,
            "worked_seconds": price.worked_seconds,
            "roundings": price.roundings,
            "charge_ids": tuple(charge.charge_id for charge in plan.staying),
        }
    )


def _stays(charge: BilledCharge) -> bool:
    return not charge.is_withdrawn and stays_on_line(charge.billed, charge.now)
