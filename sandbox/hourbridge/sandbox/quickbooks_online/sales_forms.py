"""Rules of invoices and credit memos: references, numbers, dates, totals, balances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from hourbridge.sandbox.quickbooks_online import custom_fields
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import CREDIT_MEMO, CUSTOMER, INVOICE, TERM, Kind
from hourbridge.sandbox.quickbooks_online.list_shapes import due_day
from hourbridge.sandbox.quickbooks_online.lists import as_reference, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    invalid_property,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.sales_lines import SALES, shape_lines, total_of, voided
from hourbridge.sandbox.quickbooks_online.similar import check_not_similar
from hourbridge.sandbox.quickbooks_online.taxes import tax_detail, taxable_amounts
from hourbridge.sandbox.quickbooks_online.time_activities import given_links, without_time
from hourbridge.sandbox.quickbooks_online.transactions import (
    check_period_open,
    currency,
    exchange,
    home_fields,
    number,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    date_of,
    reference_of,
    required_reference,
    text_of,
    without_empty,
)

_KEPT_AS_GIVEN = (
    "ApplyTaxAfterDiscount",
    "BillAddr",
    "BillEmailBcc",
    "BillEmailCc",
    "DepartmentRef",
    "ProjectRef",
    "ShipAddr",
    "ShipDate",
    "ShipMethodRef",
    "TrackingNum",
)
_EMAIL_STATES = ("NotSet", "NeedToSend", "EmailSent")


def shape(
    company: Company,
    kind: Kind,
    given: Entity,
    current: Entity | None,
    options: Sequence[str] = (),
) -> Entity:
    """Return the document to store for ``given``; raises the refusal of the first broken rule."""
    customer = referenced(company, CUSTOMER, required_reference(given, "CustomerRef"))
    dated = date_of(given, "TxnDate") or company.clock.today()
    check_period_open(company, dated)
    code = currency(company, given, customer, is_new=current is None)
    lines = shape_lines(company, given.get("Line"), current["Line"] if current else (), code)
    taxes = tax_detail(company, given, taxable_amounts(lines, SALES), code)
    total = total_of(lines) + taxes["TotalTax"]
    if total < 0:
        raise business("Transaction amount must be 0 or greater.")
    if current is None:
        check_not_similar(company, kind, customer["Id"], dated, total, options)
    balances = _balances(kind, total, current)
    if kind is INVOICE:
        balances["LinkedTxn"] += given_links(company, given, customer["Id"])
    shown = {"TotalAmt": total, "Balance": balances["Balance"]}
    document = {
        **{name: given.get(name) for name in _KEPT_AS_GIVEN},
        "CustomField": custom_fields.shape(given, options),
        "DocNumber": _number(company, kind, given, current, options),
        "TxnDate": dated.isoformat(),
        "CustomerRef": as_reference(CUSTOMER, customer),
        "CurrencyRef": {"value": code},
        "PrivateNote": text_of(given, "PrivateNote", 4000),
        "CustomerMemo": _memo(given),
        "BillEmail": _email(given),
        "EmailStatus": _email_status(given),
        "PrintStatus": given.get("PrintStatus") or "NotSet",
        "Line": lines,
        "TxnTaxDetail": taxes,
        "TotalAmt": total,
        **balances,
        **home_fields(company, code, exchange(company, given, code, dated), shown),
        **_terms(company, kind, given, customer, dated),
    }
    return without_empty(document)


def void(company: Company, document: Entity) -> Entity:
    """Return the document with every amount zero and the word that the service puts in its note."""
    check_period_open(company, date.fromisoformat(document["TxnDate"]))
    zero = Decimal("0.00")
    note = document.get("PrivateNote")
    amounts = [name for name in document if name.endswith(("TotalAmt", "Balance"))]
    emptied = {
        **document,
        "Line": voided(document["Line"]),
        **dict.fromkeys(amounts, zero),
        "TxnTaxDetail": {"TotalTax": zero},
        "LinkedTxn": [],
        "PrivateNote": f"Voided - {note}" if note else "Voided",
    }
    if "RemainingCredit" in document:
        emptied["RemainingCredit"] = zero
    return emptied


def _number(
    company: Company, kind: Kind, given: Entity, current: Entity | None, options: Sequence[str]
) -> str | None:
    if not company.has_own_numbers:
        return current["DocNumber"] if current else company.next_number(kind)
    return number(company, kind, given, current, options)


def _memo(given: Entity) -> Entity | None:
    memo = given.get("CustomerMemo")
    if memo is None:
        return None
    if not isinstance(memo, dict):
        raise invalid_property("CustomerMemo")
    text = text_of(memo, "value", 1000)
    return {"value": text} if text else None


def _email(given: Entity) -> Entity | None:
    email = given.get("BillEmail")
    address = text_of(email, "Address", 100) if isinstance(email, dict) else None
    if address is None:
        return None
    local, _, domain = address.partition("@")
    if not local or not domain or " " in address:
        raise Refusal("2210", "Invalid email format", f"Email Address does not conform: {address}")
    return {"Address": address}


def _email_status(given: Entity) -> str:
    status = given.get("EmailStatus") or "NotSet"
    if status not in _EMAIL_STATES:
        raise Refusal("2170", "Invalid Enumeration", f"EmailStatus: {status}")
    if status == "NeedToSend" and _email(given) is None:
        raise missing_parameter("BillEmail")
    return str(status)


def _balances(kind: Kind, total: Decimal, current: Entity | None) -> Entity:
    applied = current["TotalAmt"] - current["Balance"] if current else Decimal("0.00")
    balance = total - applied
    if balance < 0:
        raise business("The payments applied exceed the new total.")
    links = without_time(current.get("LinkedTxn", []) if current else [])
    if kind is CREDIT_MEMO:
        return {"Balance": balance, "RemainingCredit": balance, "LinkedTxn": links}
    return {"Balance": balance, "LinkedTxn": links}


def _terms(company: Company, kind: Kind, given: Entity, customer: Entity, dated: date) -> Entity:
    if kind is not INVOICE:
        return {}
    identity = reference_of(given, "SalesTermRef") or reference_of(customer, "SalesTermRef")
    term = referenced(company, TERM, identity) if identity else None
    due = date_of(given, "DueDate")
    if due is None:
        due = due_day(term, dated)
    return {
        "SalesTermRef": as_reference(TERM, term) if term else None,
        "DueDate": due.isoformat(),
    }
