"""Base amounts of a document: its total at its rate, spread over its lines to the last cent.

The receivable must equal the document, so the total is converted and rounded once, and the lines
and taxes share it by largest remainder. Under transaction-date lock each line is converted at the
rate of its own date, and the total is their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal

from hourbridge.billing.currencies.conversion import base_amount, exact_base, spread
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import (
    Document,
    DocumentLine,
    ExchangeRateUsed,
    RoundingStep,
)
from hourbridge.common.money import RoundingMode, minor_unit_digits, round_digits, round_money

RateOn = Callable[[date], ExchangeRateUsed]
"""Returns the rate of a day, or raises RateMissing."""
OF = "base_amount"
"""What the rounding steps of this module are of."""
_NOTHING = Decimal(0)
_SHOWN = Context(prec=28)
_RECORDED_DIGITS_MAX = 12


def stamped(document: Document, rate_on: RateOn, *, own_dates: bool) -> Document:
    """Return a document with its rate and base amounts; ``own_dates``: by each line's date."""
    rate = rate_on(document.document_date)
    if not own_dates:
        return at_rate(document, rate)
    rates = {
        line.line_id: rate_on(line.service_date or document.document_date)
        for line in document.lines
    }
    if {used.rate_id for used in rates.values()} <= {rate.rate_id}:
        return at_rate(document, rate)
    return at_own_rates(document, rate, rates)


def restamped(document: Document, *, base_total: Decimal | None = None) -> Document:
    """Return a stamped document whose amounts changed, at the rates that it has.

    ``base_total`` is given where the last part of something takes its residue.
    """
    if document.exchange is None:
        return document
    rates = {line.line_id: line.exchange for line in document.lines if line.exchange is not None}
    if rates:
        return at_own_rates(document, document.exchange, rates, base_total=base_total)
    return at_rate(document, document.exchange, base_total=base_total)


def moves_money(before: Document, after: Document) -> bool:
    """Return whether a change of a document touches amounts that are stated in both currencies."""
    return (
        before.total != after.total
        or before.taxes != after.taxes
        or [line.amount for line in before.lines] != [line.amount for line in after.lines]
    )


def at_rate(
    document: Document, rate: ExchangeRateUsed, *, base_total: Decimal | None = None
) -> Document:
    """Return a document with all amounts at one rate; its lines and taxes sum to its total."""
    total = base_total
    if total is None:
        total = base_amount(document.total, document.currency, rate)
    exact = [exact_base(line.amount, document.currency, rate) for line in document.lines]
    keyed = [
        (f"{line.position:06d}", part) for line, part in zip(document.lines, exact, strict=True)
    ]
    taxes = [exact_base(tax.amount, document.currency, rate) for tax in document.taxes]
    keyed += [(f"tax {at:03d}", part) for at, part in enumerate(taxes)]
    parts = spread(total, keyed, rate.base_currency) if keyed else []
    shares = parts[: len(document.lines)]
    lines = [
        _with_base(line.model_copy(update={"exchange": None}), part, whole, rate)
        for line, part, whole in zip(document.lines, shares, exact, strict=True)
    ]
    return document.model_copy(
        update={"exchange": rate, "base_total": total, "lines": tuple(lines)}
    )


def at_own_rates(
    document: Document,
    rate: ExchangeRateUsed,
    rates: Mapping[str, ExchangeRateUsed],
    *,
    base_total: Decimal | None = None,
) -> Document:
    """Return a document whose lines have rates of their own; taxes take the document's."""
    exact = [
        exact_base(line.amount, document.currency, rates.get(line.line_id, rate))
        for line in document.lines
    ]
    rounded = [round_money(part, rate.base_currency) for part in exact]
    taxes = [base_amount(tax.amount, document.currency, rate) for tax in document.taxes]
    total = sum((*rounded, *taxes), _NOTHING)
    if base_total is not None and base_total != total and exact:
        keyed = [
            (f"{line.position:06d}", part) for line, part in zip(document.lines, exact, strict=True)
        ]
        rounded = spread(base_total - sum(taxes, _NOTHING), keyed, rate.base_currency)
        total = base_total
    lines = [
        _with_base(
            line.model_copy(update={"exchange": rates.get(line.line_id, rate)}),
            part,
            whole,
            rates.get(line.line_id, rate),
        )
        for line, part, whole in zip(document.lines, rounded, exact, strict=True)
    ]
    used = _blended(document, rate, tuple(rates.values()), total)
    return document.model_copy(
        update={"exchange": used, "base_total": total, "lines": tuple(lines)}
    )


def _blended(
    document: Document,
    rate: ExchangeRateUsed,
    rates: Sequence[ExchangeRateUsed],
    total: Decimal,
) -> ExchangeRateUsed:
    """Return the one rate that a ledger is told: what makes its receivable ours."""
    if document.total == 0:
        return rate
    ids = sorted({used.rate_id for used in rates})
    return rate.model_copy(
        update={
            "rate_id": f"{rate.source}:own-dates:{derive_key(*ids, length=16)}",
            "value": _SHOWN.divide(total, document.total),
            "rate_date": max(used.rate_date for used in rates),
            "is_fallback": any(used.is_fallback for used in rates),
            "legs": (),
        }
    )


def _with_base(
    line: DocumentLine, base: Decimal, exact: Decimal, rate: ExchangeRateUsed
) -> DocumentLine:
    kept = tuple(step for step in line.roundings if step.of != OF)
    return line.model_copy(
        update={"base_amount": base, "roundings": (*kept, *_steps(base, exact, rate))}
    )


def _steps(base: Decimal, exact: Decimal, rate: ExchangeRateUsed) -> list[RoundingStep]:
    """Return how an exact amount became a base amount: rounded, then its share of the total."""
    rounded = round_money(exact, rate.base_currency)
    unit = f"{Decimal(1).scaleb(-minor_unit_digits(rate.base_currency)):f} {rate.base_currency}"
    steps = []
    if rounded != exact:
        steps.append(
            RoundingStep(
                step="exchange",
                of=OF,
                mode=RoundingMode.HALF_UP,
                unit=unit,
                before=_recorded(exact),
                after=rounded,
                policy=rate.rate_id,
            )
        )
    if base != rounded:
        steps.append(
            RoundingStep(
                step="allocation",
                of=OF,
                mode="largest_remainder",
                unit=unit,
                before=rounded,
                after=base,
                policy=rate.rate_id,
            )
        )
    return steps


def _recorded(exact: Decimal) -> Decimal:
    shown = round_digits(exact, _RECORDED_DIGITS_MAX, RoundingMode.HALF_UP)
    return min(exact.normalize(), shown, key=lambda value: len(format(value, "f")))
