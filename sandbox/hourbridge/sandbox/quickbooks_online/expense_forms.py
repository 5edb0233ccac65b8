"""Rules of bills, vendor credits and purchases: payee, number, lines, balances."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hourbridge.sandbox.quickbooks_online import custom_fields
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.expense_lines import shape_lines, total_of
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    BILL,
    BY_NAME,
    PEOPLE,
    PURCHASE,
    TERM,
    VENDOR,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.list_shapes import due_day
from hourbridge.sandbox.quickbooks_online.lists import as_reference, posting_account, referenced
from hourbridge.sandbox.quickbooks_online.refusals import Refusal, business, invalid_property
from hourbridge.sandbox.quickbooks_online.similar import check_not_similar
from hourbridge.sandbox.quickbooks_online.transactions import (
    PAYABLE,
    check_period_open,
    currency,
    exchange,
    home_fields,
    number,
    party_account,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    date_of,
    reference_of,
    required_reference,
    text_of,
    without_empty,
)

_PAYMENT_TYPES = {"Cash": "Bank", "Check": "Bank", "CreditCard": "Credit Card"}


def shape(
    company: Company,
    kind: Kind,
    given: Entity,
    current: Entity | None,
    options: Sequence[str] = (),
) -> Entity:
    """Return the document to store for ``given``; raises the refusal of the first broken rule."""
    party = _party(company, kind, given)
    dated = date_of(given, "TxnDate") or company.clock.today()
    check_period_open(company, dated)
    code = currency(company, given, party if kind is not PURCHASE else None, is_new=current is None)
    lines = shape_lines(company, given.get("Line"), current["Line"] if current else (), code)
    total = total_of(lines)
    if total < 0:
        raise business("Transaction amount must be 0 or greater.")
    if current is None and kind is BILL and party is not None:
        check_not_similar(company, kind, party["Id"], dated, total, options)
    amounts = {"TotalAmt": total}
    specific = (
        _purchase(company, given) if kind is PURCHASE else _payable(company, kind, given, code)
    )
    if kind is not PURCHASE:
        amounts["Balance"] = _balance(total, current)
    return without_empty(
        {
            "DocNumber": number(
                company,
                kind,
                given,
                current,
                [*options, *_number_options(company, kind, given)],
                _number_scope(kind, party),
            ),
            "TxnDate": dated.isoformat(),
            "CustomField": custom_fields.shape(given, options),
            "DepartmentRef": given.get("DepartmentRef"),
            "VendorRef": as_reference(VENDOR, party) if kind is not PURCHASE and party else None,
            "CurrencyRef": {"value": code},
            "PrivateNote": text_of(given, "PrivateNote", 4000),
            "Line": lines,
            "LinkedTxn": current.get("LinkedTxn", []) if current else [],
            **specific,
            **amounts,
            **home_fields(company, code, exchange(company, given, code, dated), amounts),
            **_due(company, kind, given, party),
        }
    )


def _party(company: Company, kind: Kind, given: Entity) -> Entity | None:
    if kind is not PURCHASE:
        return referenced(company, VENDOR, required_reference(given, "VendorRef"))
    payee = given.get("EntityRef")
    if payee is None:
        return None
    family = BY_NAME.get(str(payee.get("type", "Vendor")))
    if family not in PEOPLE:
        raise invalid_property("EntityRef")
    return referenced(company, family, required_reference(given, "EntityRef"))


def _number_options(company: Company, kind: Kind, given: Entity) -> Sequence[str]:
    """Check numbers may repeat unless the company wants to be warned."""
    if kind is not PURCHASE or given.get("PaymentType") != "Check":
        return ()
    pairs = company.preferences.get("OtherPrefs", {}).get("NameValue", [])
    warned = {"Name": "WarnDuplicateCheckNumber", "Value": "true"} in pairs
    return () if warned else ("allowduplicatedocnum",)


def _number_scope(kind: Kind, party: Entity | None) -> str:
    return party["Id"] if party is not None and kind is not PURCHASE else ""


def _payable(company: Company, kind: Kind, given: Entity, code: str) -> Entity:
    identity = reference_of(given, "APAccountRef")
    if identity is None:
        account = party_account(company, PAYABLE, code)
    else:
        account = posting_account(company, identity)
        if account["AccountType"] != PAYABLE:
            raise business(f"{kind.name} needs an accounts payable account.")
    return {"APAccountRef": as_reference(ACCOUNT, account)}


def _purchase(company: Company, given: Entity) -> Entity:
    paid_by = given.get("PaymentType")
    if paid_by not in _PAYMENT_TYPES:
        raise Refusal("2170", "Invalid Enumeration", f"PaymentType: {paid_by}")
    account = posting_account(company, required_reference(given, "AccountRef"))
    if account["AccountType"] != _PAYMENT_TYPES[paid_by]:
        raise business(f"{paid_by} needs an account of type {_PAYMENT_TYPES[paid_by]}.")
    return {
        "PaymentType": paid_by,
        "AccountRef": as_reference(ACCOUNT, account),
        "EntityRef": given.get("EntityRef"),
        "Credit": True if given.get("Credit") is True else None,
    }


def _balance(total: Decimal, current: Entity | None) -> Decimal:
    applied = current["TotalAmt"] - current["Balance"] if current else Decimal("0.00")
    if total < applied:
        raise business("The payments applied exceed the new total.")
    return total - applied


def _due(company: Company, kind: Kind, given: Entity, party: Entity | None) -> Entity:
    if kind is not BILL or party is None:
        return {}
    dated = date_of(given, "TxnDate") or company.clock.today()
    identity = reference_of(given, "SalesTermRef") or reference_of(party, "TermRef")
    term = referenced(company, TERM, identity) if identity else None
    due = date_of(given, "DueDate") or due_day(term, dated)
    return {
        "DueDate": due.isoformat(),
        "SalesTermRef": as_reference(TERM, term) if term else None,
    }
