"""What the changed charges of a posted document lead to: a pure plan, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.billing.corrections import LineDelta, delta_description, line_delta, stays_on_line
from hourbridge.billing.pricing import price_line
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.poster.documents import NewLine
from hourbridge.poster.line_store import BilledCharge, StandingLine


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
    document: Document, plans: Sequence[LinePlan], *, number: str, day: date, is_draft: bool
) -> tuple[Document, tuple[NewLine, ...]] | None:
    """Return the credit memo for what was billed too much, linked line by line; None for none."""
    credits = [p.delta for p in plans if p.delta is not None and p.delta.direction == "credit"]
    if not credits:
        return None
    content = [f"{delta.line_id}:{delta.amount}" for delta in credits]
    document_id = derive_id("credit", document.document_id, number, *content)
    by_id = {line.line_id: line for line in document.lines}
    lines = tuple(
        correction_line(by_id[delta.line_id], delta, document, document_id, position)
        for position, delta in enumerate(credits, start=1)
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
            "lines": lines,
            "total": sum((line.amount for line in lines), Decimal(0)),
            "credits_document_id": document.document_id,
            "cut_off_at": None,
            "posted": None,
            "reason": None,
        }
    )
    taken_back = tuple(
        NewLine(line, amount=-line.amount, seconds=-line.billed_seconds) for line in lines
    )
    return memo, taken_back


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
        }
    )


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
    total = sum((line.amount for line in lines), Decimal(0))
    return document.model_copy(update={"lines": tuple(lines), "total": total})


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
