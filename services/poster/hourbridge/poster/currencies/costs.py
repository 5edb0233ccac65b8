"""Costs in another currency than the client's: what the client pays for them, by a published rate.

Under transaction-date lock a cost is converted at its own date (the mapper says so), else at the
date of the document that bills it. It is converted exactly; the line rounds it, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hourbridge.billing.assembly import Leakage
from hourbridge.billing.currencies.conversion import exact_base
from hourbridge.billing.grouping import document_date
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import Charge, Document, ExchangeRateUsed
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.documents import Group
from hourbridge.poster.line_store import BilledCharge


@dataclass(frozen=True)
class Rated:
    """A group whose charges are all in the client's currency, and what had to stay behind."""

    group: Group
    unrated: tuple[Leakage, ...] = ()


def is_foreign(charge: Charge) -> bool:
    """Return whether a charge's amount is still in the currency of its cost."""
    cost = charge.cost
    return cost is not None and cost.currency != charge.currency and cost.exchange is None


def in_client_currency(group: Group, rates: BookRates) -> Rated:
    """Convert the foreign costs of a group; those without a rate stay unbilled until it arrives."""
    if not any(map(is_foreign, group.charges)):
        return Rated(group)
    work_dates = [c.work_date for c in group.charges] + [s.work_date for s in group.supplements]
    newest = max(group.charges, key=lambda charge: (charge.work_date, charge.charge_id))
    day = document_date(newest.invoicing.grouping, work_dates, group.through)
    kept: list[Charge] = []
    unrated: list[Leakage] = []
    for charge in group.charges:
        try:
            kept.append(_converted(charge, rates, day))
        except RateMissing:
            unrated.append(_stays_behind(charge))
    return Rated(replace(group, charges=tuple(kept)), tuple(unrated))


def as_billed(
    document: Document, charges: Mapping[str, Sequence[BilledCharge]], rates: BookRates
) -> dict[str, list[BilledCharge]]:
    """Return a document's charges by line, converted at the rates that its lines took.

    Raises RateMissing where a cost changed its currency to one without a rate.
    """
    costs = {line.line_id: line.cost for line in document.lines}
    converted: dict[str, list[BilledCharge]] = {}
    for line_id, members in charges.items():
        cost = costs.get(line_id)
        known = (cost.currency, cost.exchange) if cost is not None else ("", None)
        converted[line_id] = [
            replace(
                member,
                billed=_converted(member.billed, rates, document.document_date, known),
                now=_converted(member.now, rates, document.document_date, known),
            )
            for member in members
        ]
    return converted


def _converted(
    charge: Charge,
    rates: BookRates,
    day: date,
    known: tuple[str, ExchangeRateUsed | None] = ("", None),
) -> Charge:
    cost = charge.cost
    if cost is None or charge.amount is None or not is_foreign(charge):
        return charge
    currency, rate = known
    if rate is None or currency != cost.currency or rate.base_currency != charge.currency:
        rate = rates.on(cost.currency, cost.converted_at or day, into=charge.currency)
    return charge.model_copy(
        update={
            "amount": exact_base(charge.amount, cost.currency, rate),
            "cost": cost.model_copy(update={"exchange": rate}),
        }
    )


def _stays_behind(charge: Charge) -> Leakage:
    currency = charge.cost.currency if charge.cost is not None else charge.currency
    return Leakage((charge.charge_id,), 0, charge.amount or Decimal(0), currency, "no_rate")
