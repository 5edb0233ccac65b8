"""The quarterly settlement review: bills by vendor, open hold-backs with their age, who waits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.book import AccountRole
from hourbridge.common.calendar import Period, Term, period_of
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.runtime.admin import RequestInvalid
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import open_items
from hourbridge.poster.payables import holdback_store
from hourbridge.poster.payables.bills import PAY_WHEN_PAID
from hourbridge.poster.payables.holdback_store import Holdback
from hourbridge.poster.payables.releasing import shown

_QUARTER = re.compile(r"^(\d{4})-Q([1-4])$")
_NOTHING = Decimal(0)
_BILLS = statement(
    """
    SELECT payload FROM document
    WHERE book = :book AND kind IN ('vendor_bill', 'vendor_credit')
        AND status NOT IN ('withdrawn', 'draft')
        AND CAST(payload ->> 'document_date' AS date) BETWEEN :first AND :last
    ORDER BY payload ->> 'document_date', number
    """
)
# The client's invoices over the same records as the bill.
_INVOICES = statement(
    """
    SELECT DISTINCT l.document_id FROM charge owed
    JOIN charge billed ON billed.record_id = owed.record_id AND billed.grouping <> 'payable'
    JOIN line_charge b ON b.charge_id = billed.charge_id AND b.is_live
    JOIN document_line l ON l.line_id = b.line_id
    WHERE owed.charge_id = ANY(:charges)
    """
)
_UNBILLED = statement(
    """
    SELECT EXISTS (SELECT 1 FROM charge owed
        JOIN charge billed ON billed.record_id = owed.record_id AND billed.grouping <> 'payable'
        WHERE owed.charge_id = ANY(:charges) AND billed.state = 'unbilled')
    """
)


def quarter_of(text: str) -> Period:
    """Return the quarter in ``2026-Q1``; raise RequestInvalid for anything else."""
    match = _QUARTER.match(text)
    if match is None:
        raise RequestInvalid(f"{text!r} is no quarter", advice="Write it as 2026-Q1.")
    year, quarter = int(match[1]), int(match[2])
    return period_of(date(year, quarter * 3, 1), Term.QUARTER)


class Settlements:
    """Answers what vendors were billed for, what is held back of it, and what waits."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def report(self, book: str, quarter: str) -> dict[str, Any]:
        """Return the review of a quarter, as things stood at its end."""
        period = quarter_of(quarter)
        with self._store.transaction() as connection:
            bills = _bills(connection, book, period)
            held = [
                each
                for each in holdback_store.holdbacks(connection, book, period.last)
                if each.open_amount
            ]
            waiting = [_waiting(connection, bill) for bill in bills if bill.memo == PAY_WHEN_PAID]
        return {
            "book": book,
            "quarter": period.label,
            "as_of": period.last,
            "vendors": _vendors(bills),
            "open_holdbacks": [
                {**shown(each), "age_days": (period.last - each.bill_date).days} for each in held
            ],
            "open_totals": _totals(held),
            "pay_when_paid": waiting,
        }


def _bills(connection: Connection, book: str, period: Period) -> list[Document]:
    parameters = {"book": book, "first": period.first, "last": period.last}
    rows = connection.execute(_BILLS, parameters).scalars()
    return [Document.model_validate(row) for row in rows]


def _vendors(bills: Iterable[Document]) -> list[dict[str, Any]]:
    """Return what was billed in the quarter: by vendor and currency, credits taken off."""
    sums: dict[tuple[str, str], dict[str, Decimal]] = {}
    counts: dict[tuple[str, str], int] = {}
    for bill in bills:
        vendor = (bill.vendor.name or bill.vendor.id or "") if bill.vendor else ""
        key = (vendor, bill.currency)
        sign = -1 if bill.kind is DocumentKind.VENDOR_CREDIT else 1
        amounts = sums.setdefault(key, {"work": _NOTHING, "held": _NOTHING, "payable": _NOTHING})
        counts[key] = counts.get(key, 0) + 1
        amounts["payable"] += sign * bill.total
        for line in bill.lines:
            is_held = line.role is AccountRole.RETAINAGE_PAYABLE
            amounts["held" if is_held else "work"] += sign * line.amount * (-1 if is_held else 1)
    return [
        {
            "vendor": vendor,
            "bills": counts[vendor, currency],
            "billed": str(amounts["work"]),
            "held_back": str(amounts["held"]),
            "payable": str(amounts["payable"]),
            "currency": currency,
        }
        for (vendor, currency), amounts in sorted(sums.items())
    ]


def _totals(held: Iterable[Holdback]) -> list[dict[str, str]]:
    sums: dict[str, Decimal] = {}
    for each in held:
        sums[each.currency] = sums.get(each.currency, _NOTHING) + each.open_amount
    return [{"currency": currency, "open": str(sums[currency])} for currency in sorted(sums)]


def _waiting(connection: Connection, bill: Document) -> dict[str, Any]:
    """Return whether a bill that waits for the client's money may be paid: a state, no amount."""
    charges = [charge for line in bill.lines for charge in line.charge_ids]
    documents = connection.execute(_INVOICES, {"charges": charges}).scalars()
    items = open_items.read_items(connection, documents)
    unpaid = [item for item in items.values() if item.open_amount > 0]
    unbilled = bool(connection.execute(_UNBILLED, {"charges": charges}).scalar_one())
    return {
        "vendor": (bill.vendor.name or bill.vendor.id) if bill.vendor else None,
        "bill": bill.number,
        "total": str(bill.total),
        "currency": bill.currency,
        "state": "waits_for_client" if unpaid or unbilled or not items else "due",
        "waits_for": sorted(item.document.number for item in unpaid),
        "is_billed": bool(items) and not unbilled,
    }
