"""Write-ups and write-downs of documents that are not posted yet, decided by a person.

An adjustment changes what the client is billed, never what was worked: the line keeps its
quantity and price, and says by how much, why and by whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.allocation import spread
from hourbridge.billing.amounts import money_step
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.messages.events import DocumentLine, LineAdjustment
from hourbridge.common.money import round_money

NOTHING = Decimal(0)


class AdjustmentImpossible(HourbridgeError):
    """The amount asked for can't be reached by adjusting these lines."""

    code = "adjustment_impossible"
    advice = "Name an amount at the currency's minor unit, and lines that bill work."


@dataclass(frozen=True)
class Adjusting:
    """What somebody decided: the amount before tax that a document or a line is to come to."""

    to: Decimal
    reason: str
    by: str


def adjust_document(
    lines: Sequence[DocumentLine], wanted: Adjusting, currency: str
) -> tuple[DocumentLine, ...]:
    """Return lines that come to the amount wanted, shared by largest remainder over their amounts.

    Earlier adjustments are replaced, so the same decision twice is one. Lines that continue lines
    of other documents keep theirs.
    """
    _check(wanted, currency)
    at = [place for place, line in enumerate(lines) if is_adjustable(line)]
    amounts = [unadjusted(lines[place]) for place in at]
    fixed = sum((line.amount for line in lines if not is_adjustable(line)), NOTHING)
    difference = wanted.to - fixed - sum(amounts, NOTHING)
    if difference and not sum(amounts, NOTHING):
        raise AdjustmentImpossible("no line of this document bills work that could be adjusted")
    parts = dict(zip(at, spread(difference, amounts, currency), strict=True))
    return tuple(
        _adjusted(line, parts[place], wanted, currency, of="document") if place in parts else line
        for place, line in enumerate(lines)
    )


def adjust_line(
    lines: Sequence[DocumentLine], position: int, wanted: Adjusting, currency: str
) -> tuple[DocumentLine, ...]:
    """Return lines of which the one at ``position`` comes to the amount wanted."""
    _check(wanted, currency)
    chosen = [line for line in lines if line.position == position]
    if not chosen or not is_adjustable(chosen[0]):
        raise AdjustmentImpossible(f"there is no line {position} that could be adjusted")
    by = wanted.to - unadjusted(chosen[0])
    return tuple(
        _adjusted(line, by, wanted, currency, of="line") if line is chosen[0] else line
        for line in lines
    )


def is_adjustable(line: DocumentLine) -> bool:
    """Return whether a line is priced by itself, not the rest or the credit of another one."""
    return line.credits_line_id is None and line.supplements_line_id is None


def unadjusted(line: DocumentLine) -> Decimal:
    """Return what a line came to before anybody adjusted it."""
    return line.amount - (line.adjustment.amount if line.adjustment else NOTHING)


def _check(wanted: Adjusting, currency: str) -> None:
    if wanted.to < 0 or round_money(wanted.to, currency) != wanted.to:
        raise AdjustmentImpossible(f"{wanted.to} is not an amount of {currency} to bill")


def _adjusted(
    line: DocumentLine, by: Decimal, wanted: Adjusting, currency: str, *, of: str
) -> DocumentLine:
    before = unadjusted(line)
    steps = tuple(step for step in line.roundings if step.step != "adjustment")
    if by == 0:
        return line.model_copy(update={"amount": before, "adjustment": None, "roundings": steps})
    step = money_step(
        "adjustment", of, "decided", currency, before, before + by, policy=f"person:{wanted.by}"
    )
    adjustment = LineAdjustment(amount=by, reason=wanted.reason, by=wanted.by)
    return line.model_copy(
        update={
            "amount": before + by,
            "adjustment": adjustment,
            "roundings": (*steps, step),
        }
    )
