"""What a posted line should be now, against what was posted, credited and supplemented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hourbridge.billing.basis import LineBasis, price_identity
from hourbridge.billing.descriptions import clock_text
from hourbridge.billing.grouping import fee_key
from hourbridge.billing.pricing import NOTHING, as_product, price_line
from hourbridge.common.messages.events import Charge


@dataclass(frozen=True)
class Sum:
    """Time and money of a line, or of what was taken from or added to it."""

    amount: Decimal = NOTHING
    seconds: int = 0

    def __sub__(self, other: Sum) -> Sum:
        return Sum(self.amount - other.amount, self.seconds - other.seconds)


@dataclass(frozen=True)
class PostedLine:
    """A line as it stands: posted, less what was credited, plus what was supplemented."""

    line_id: str
    basis: LineBasis
    standing: Sum


@dataclass(frozen=True)
class LineDelta:
    """What has to happen to a line; quantity times unit price gives the amount, all positive."""

    line_id: str
    direction: Literal["credit", "supplement"]
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    seconds: int


def stays_on_line(billed: Charge, now: Charge) -> bool:
    """Return whether a changed charge still belongs to the line that billed it."""
    return price_identity(billed) == price_identity(now) and fee_key(billed) == fee_key(now)


def line_delta(line: PostedLine, charges_now: Sequence[Charge]) -> LineDelta | None:
    """Return the difference between what ``line`` should be with these charges and what it is.

    ``charges_now`` are those that stay on the line, as they are now. Less than posted is
    credited, more is supplemented; equal gives None. Mirrors exactly: crediting a line in parts
    never takes back more or less than the line.
    """
    price = price_line(charges_now, line.basis)
    due = line.basis.billed_of(price.amount)
    difference = line.standing - Sum(due, price.billed_seconds)
    if difference.amount == 0:
        return None
    if difference.amount > 0:
        return _delta(line, "credit", difference)
    return _delta(line, "supplement", Sum() - difference)


def _delta(
    line: PostedLine, direction: Literal["credit", "supplement"], difference: Sum
) -> LineDelta:
    quantity, unit_price = as_product(line.basis, difference.amount, difference.seconds)
    return LineDelta(
        line.line_id, direction, quantity, unit_price, difference.amount, difference.seconds
    )


def delta_description(delta: LineDelta, *, number: str, description: str) -> str:
    """Return the text of a correction line: what it corrects and by how much time."""
    word = "Credit" if delta.direction == "credit" else "Addition"
    time = f" ({clock_text(delta.seconds)} h)" if delta.seconds else ""
    return f"{word} to {number}: {description}"[: 4000 - len(time)] + time
