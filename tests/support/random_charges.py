"""Charges of random books: what a client is billed for, what a vendor is owed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.common.book import InvoicingPolicy, LedgerReference
from hourbridge.common.messages.events import Charge, ChargedCost, ChargedRate, Payable
from hourbridge.common.money import RoundingMode
from tests.support.charges import make_charge, make_expense, rounding
from tests.support.random_draws import Draws

VENDORS = ("Bravo", "Charlie & Co")


def client_charges(draw: Draws, key: str, day: date) -> list[Charge]:
    """Return work and expenses of one client and currency, in the days up to ``day``."""
    chance, client, currency = draw.chance, draw.client(), draw.currency()
    invoicing = InvoicingPolicy(discount=draw.discount(currency))
    policy = rounding(chance.choice((6, 10, 15, 1)), mode=chance.choice(list(RoundingMode)))
    charges: list[Charge] = []
    for at in range(chance.randint(1, 5)):
        common = {
            "client": client,
            "currency": currency,
            "work_date": day - timedelta(days=chance.randint(0, 5)),
            "tax_code": chance.choice((None, "VAT")),
            "invoicing": invoicing,
            "rounding": policy,
        }
        if chance.random() < 0.3:
            charges.append(_expense(draw, f"{key}-{at}", currency, common))
        else:
            rate = _rate(draw, currency, 300)
            charges.append(
                make_charge(f"{key}-{at}", chance.randint(1, 30_000), rate=rate, **common)
            )
    return charges


def vendor_charges(draw: Draws, key: str, day: date) -> list[Charge]:
    """Return hours and expenses of one vendor, some of them with a hold-back."""
    chance, currency = draw.chance, draw.currency()
    owed = Payable(
        vendor=LedgerReference(name=chance.choice(VENDORS)),
        holdback_percent=Decimal(chance.choice((0, 5, 10))),
        reason="subcontractor",
    )
    common = {"currency": currency, "work_date": day, "payable": owed}
    charges: list[Charge] = []
    for at in range(chance.randint(1, 4)):
        if chance.random() < 0.4:
            charges.append(_expense(draw, f"{key}-{at}", currency, common))
        else:
            cost = _rate(draw, currency, 90)
            seconds = chance.randint(1, 40_000)
            charges.append(make_charge(f"{key}-{at}", seconds, cost_rate=cost, **common))
    return charges


def _rate(draw: Draws, currency: str, highest: int) -> ChargedRate:
    return ChargedRate(amount=draw.amount(currency, highest), currency=currency, origin="rule")


def _expense(draw: Draws, charge_id: str, currency: str, common: dict[str, Any]) -> Charge:
    amount = draw.amount(currency, 400)
    cost = ChargedCost(amount=amount, currency=currency, tax=draw.amount(currency, 20))
    return make_expense(charge_id, str(amount), **{**common, "cost": cost})
