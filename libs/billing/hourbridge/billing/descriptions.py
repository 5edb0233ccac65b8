"""The text of a line: who did what, and the basis of its quantity."""

from __future__ import annotations

from collections.abc import Sequence

from hourbridge.billing.basis import LineBasis
from hourbridge.billing.pricing import LinePrice
from hourbridge.common.book import Grouping, LineDetail
from hourbridge.common.calendar import period_of
from hourbridge.common.messages.events import Charge
from hourbridge.common.money import decimal_text

_CHARACTERS_MAX = 4000
_BY_CLIENT = {Grouping.CLIENT_MONTH, Grouping.CLIENT_QUARTER, Grouping.CLIENT_ON_DEMAND}


def describe(
    charges: Sequence[Charge], price: LinePrice, basis: LineBasis, *, capped_seconds: int = 0
) -> str:
    """Return the description of a line; for time it ends with the billed time as h:mm.

    ``capped_seconds`` is what a cap left out of it: the text tells how much there was.
    """
    first = charges[0]
    if basis.kind == "flat_fee" and first.flat_fee is not None:
        return f"Fixed fee {period_of(first.work_date, first.flat_fee.term).label}"
    if basis.kind == "expense":
        return _cut(f"{first.work_date} {first.description or first.task or 'Expense'}")
    return _cut(_time_text(first), f" ({_basis_text(price, basis, capped_seconds)})")


def clock_text(seconds: int) -> str:
    """Return seconds as h:mm, or h:mm:ss where there are odd seconds."""
    minutes, odd = divmod(abs(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if seconds < 0 else ""
    return f"{sign}{hours}:{minutes:02}" + (f":{odd:02}" if odd else "")


def _time_text(first: Charge) -> str:
    detail = first.invoicing.lines
    who = None if detail is LineDetail.TASK else first.staff
    text = " - ".join(part for part in (who, first.task or "Services") if part)
    if first.project and first.invoicing.grouping in _BY_CLIENT:
        text = f"{first.project}: {text}"
    if detail is LineDetail.ENTRY:
        text = f"{first.work_date} {text}"
        text += f": {first.description}" if first.description else ""
    return text


def _basis_text(price: LinePrice, basis: LineBasis, capped_seconds: int) -> str:
    text = f"{clock_text(price.billed_seconds)} h"
    if capped_seconds:
        return f"{text} of {clock_text(price.billed_seconds + capped_seconds)} h, limit reached"
    if basis.rounding.quantity_decimals is not None:
        text += f" billed as {decimal_text(price.quantity)} h"
    return text


def _cut(text: str, ending: str = "") -> str:
    return text[: _CHARACTERS_MAX - len(ending)] + ending
