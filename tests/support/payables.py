"""Charges that we owe, for tests: one call, sensible defaults, every field can be set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hourbridge.common.book import LedgerReference, Workflow
from hourbridge.common.messages.events import Charge, ChargedCost, ChargedRate, Payable
from tests.support.charges import make_charge, make_expense


def owed_time(
    charge_id: str = "p1", seconds: int = 3600, *, cost: str = "75.00", **changes: Any
) -> Charge:
    """Return an hour that Sub Ltd is owed, at 75.00 USD, for Anna's audit of Acme's P1."""
    terms = {
        name: changes.pop(name)
        for name in ("holdback_percent", "due_days", "pay_when_paid")
        if name in changes
    }
    vendor = LedgerReference(name=changes.pop("vendor", "Sub Ltd"))
    currency = changes.get("currency", "USD")
    rate = ChargedRate(amount=Decimal(cost), currency=currency, origin="subcontractor:Anna")
    return make_charge(
        charge_id,
        seconds,
        rate=None,
        item=None,
        billable_seconds=0,
        workflow=Workflow.SUBCONTRACTOR,
        cost_rate=rate,
        payable=Payable(vendor=vendor, reason="subcontractor", **terms),
        **changes,
    )


def owed_expense(
    charge_id: str = "x1",
    amount: str = "45.00",
    *,
    tax: str | None = None,
    treatment: str = "agent",
    vendor: str = "Hotel Post",
    number: str | None = None,
    **changes: Any,
) -> Charge:
    """Return an expense of 45.00 USD that is owed to Hotel Post and passed on to Acme."""
    currency = changes.get("currency", "USD")
    cost = ChargedCost.model_validate(
        {"amount": amount, "currency": currency, "tax": tax, "treatment": treatment}
    )
    payable = Payable(vendor=LedgerReference(name=vendor), bill_number=number, reason="expense")
    return make_expense(charge_id, amount, cost=cost, payable=payable, **changes)
