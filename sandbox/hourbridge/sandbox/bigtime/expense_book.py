"""Expenses of a firm as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime.time_book import State
from hourbridge.sandbox.bigtime.values import ZERO


@dataclass(slots=True)
class Expense:
    """One expense entry; ``report`` 0 is everything not yet submitted."""

    sid: int
    dt: str
    staff: int
    project: int
    category: int
    cost_in: Decimal
    cost_payable: Decimal = ZERO
    cost_bill: Decimal = ZERO
    task: int = 0
    report: int = 0
    no_charge: bool = False
    paid_by_company: bool = False
    card: int = 0
    is_vendor_expense: bool = False
    vendor: int = 0
    bill: int = 0
    due_dt: str | None = None
    reference: str | None = None
    is_unit: bool = False
    units: Decimal = ZERO
    uom: str | None = None
    unit_rate: Decimal = ZERO
    """Cost of one unit, up to five decimals."""
    unit_price: Decimal = ZERO
    """What the client pays for one unit."""
    notes: str | None = None
    submitted: bool = False
    levels: int = 0
    state: State = "open"
    revision_notes: str | None = None
    invoice: int = 0
    qb_class: int = 0
    tax_rate: int = 0
    tax_amount: Decimal = ZERO
    currency: str = ""
    """Shown only in reports: the object endpoints have no currency."""
    created: int = 0
    modified: int = 0


def restore_expense(row: dict[str, Any]) -> Expense:
    """Return the expense that was written to a snapshot."""
    decimals = [field.name for field in fields(Expense) if field.type == "Decimal"]
    return Expense(**row | {name: Decimal(row[name]) for name in decimals})
