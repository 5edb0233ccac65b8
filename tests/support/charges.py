"""Charges for tests: one call, sensible defaults, every field can be set."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.common.book import (
    FlatFee,
    InvoicingPolicy,
    LedgerBinding,
    LedgerReference,
    RoundingPolicy,
    Workflow,
)
from hourbridge.common.messages.events import Charge, ChargedRate

LEDGER = LedgerBinding(connection="main", company_id="9130350000000001")
DAY = date(2026, 3, 2)


def minutes(count: float) -> int:
    """Return minutes (also halves) as seconds."""
    return round(count * 60)


def hours(text: str) -> int:
    """Return decimal hours as seconds."""
    return int(Decimal(text) * 3600)


def make_charge(charge_id: str = "c1", seconds: int = 3600, **changes: Any) -> Charge:
    """Return a time charge: 150.00 USD an hour for Anna's audit of Acme's project P1."""
    currency = changes.pop("currency", "USD")
    rate = changes.pop("rate", "150.00")
    if isinstance(rate, str):
        rate = ChargedRate(amount=Decimal(rate), currency=currency, origin="rule")
    client = changes.get("client", "Acme")
    values: dict[str, Any] = {
        "charge_id": charge_id,
        "kind": "time",
        "workflow": Workflow.STANDARD,
        "customer": LedgerReference(name=client),
        "item": LedgerReference(name="Consulting"),
        "work_date": DAY,
        "worked_seconds": seconds,
        "billable_seconds": seconds,
        "rate": rate,
        "currency": currency,
        "staff": "Anna",
        "task": "Audit",
        "project": "P1",
        "client": client,
        "rounding": RoundingPolicy(),
        "invoicing": InvoicingPolicy(),
        "ledger": LEDGER,
    }
    return Charge.model_validate({**values, **changes})


def make_expense(charge_id: str = "e1", amount: str = "45.00", **changes: Any) -> Charge:
    """Return an expense charge of ``amount`` USD."""
    values: dict[str, Any] = {
        "kind": "expense",
        "amount": Decimal(amount),
        "rate": None,
        "staff": None,
        "task": "Travel",
        "description": "Taxi",
    }
    return make_charge(charge_id, 0, **{**values, **changes})


def rounding(step_minutes: int = 6, **changes: Any) -> RoundingPolicy:
    """Return a rounding policy with a step in minutes."""
    return RoundingPolicy.model_validate({"increment_seconds": step_minutes * 60, **changes})


def exact_time() -> RoundingPolicy:
    """Return a policy that rounds no time, only money."""
    return RoundingPolicy(increment_seconds=1)


def fee(amount: str = "420", term: str = "month", **changes: Any) -> FlatFee:
    """Return a fixed fee."""
    return FlatFee.model_validate({"amount": amount, "term": term, **changes})
