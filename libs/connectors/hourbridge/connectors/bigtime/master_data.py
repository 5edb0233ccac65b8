"""Clients, projects and people: from detail rows to records."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hourbridge.common.money import EXACT
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import custom_fields, links, rate_slots

_ROLES = {"primary": "primary", "billing": "billing"}
_STAFF_SLOTS = 5
_LABOR_SLOTS = 10
_FLAT = 11
_SECONDS_PER_HOUR = 3600


def client_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of a client."""
    class_id = row.identifier("QBClassId")
    return {
        "external_id": _needed(row, "SystemId"),
        "name": _name(row, "Nm", "DisplayName"),
        "legal_name": row.text("LegalNm"),
        "code": row.text("ClientId"),
        "display_name": row.text("DisplayName"),
        "currency": _currency(row) or settings.base_currency,
        "addresses": _addresses(row),
        "contacts": _contacts(row),
        "is_active": not row.flag("IsInactive"),
        "default_class_id": class_id,
        "custom_fields": custom_fields(row),
        "links": links(
            settings.company,
            customer=row.identifier("QBCustomerId"),
            **{"class": class_id},
        ),
    }


def project_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of a project; BigTime knows clients and projects, nothing below."""
    name, client = _name(row, "Nm", "DisplayName"), row.child("Client")
    client_name = row.text("ClientNm") or (client.text("Nm") if client else None)
    customer, class_id = row.identifier("QBCustomerId"), row.identifier("QBClassDefault")
    return {
        "external_id": _needed(row, "SystemId"),
        "name": name,
        "code": row.text("ProjectCode"),
        "client_id": row.identifier("ClientId"),
        "client_name": client_name,
        "path": tuple(part for part in (client_name, name) if part),
        # A customer without jobs is both: its job-level record points at the same customer.
        "is_synthetic": _is_synthetic(row, client, name, client_name, customer),
        "production_status": row.text("StatusProd_nt", "StatusProd_nm"),
        "billing_status": row.text("StatusBill_nt", "StatusBill_nm"),
        "start_date": row.day("StartDt"),
        "end_date": row.day("EndDt"),
        "is_non_billable": row.flag("IsNoCharge") or False,
        "rate_style": _rate_style(row),
        "flat_rate": row.number("BasicRate") or None,
        "budget": _budget(row, settings),
        "default_class_id": class_id,
        "default_terms_id": row.identifier("DefaultInvoiceTermSid"),
        "invoice_calculator": row.identifier("InvoiceType", "DefaultInvoiceTypeSid"),
        "currency": _currency(row) or settings.base_currency,
        "is_active": not row.flag("IsInactive"),
        "custom_fields": custom_fields(row),
        "links": links(settings.company, customer=customer, **{"class": class_id}),
    }


def staff_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of a person; nobody needs an e-mail address or a user to be one."""
    given, family = row.text("FName"), row.text("SName")
    employee, vendor = row.identifier("QBEmployeeId"), row.identifier("QBVendorId")
    cost, capacity = row.number("CostFactor"), row.number("Capacity")
    name = row.text("FullName") or " ".join(part for part in (given, family) if part)
    if not name:
        row.refuse("FullName", "missing", "the person has no name")
    return {
        "external_id": _needed(row, "StaffSID", "SID"),
        "given_name": given,
        "family_name": family,
        "display_name": name,
        "email": row.text("EMail"),
        "home_timezone": row.text("HomeTimezone"),
        "employee_link": employee,
        "vendor_link": vendor,
        "post_time_as_bill": row.flag("PostTimeAsBilled") or False,
        "cost_rate": {"amount": cost, "currency": settings.base_currency} if cost else None,
        "rate_slots": rate_slots(row),
        "payroll": {"uses": row.flag("UsePayrollItem") or False},
        "manager_id": row.identifier("ManagerID"),
        "is_active": not row.flag("IsInactive"),
        "start_date": row.day("Start_dt"),
        "end_date": row.day("Term_dt"),
        "capacity_seconds_per_week": _seconds(capacity),
        "custom_fields": custom_fields(row),
        "links": links(
            settings.company,
            employee=employee,
            vendor=vendor,
            **{"class": row.identifier("QBClassDefaultId")},
        ),
    }


def _needed(row: Row, *names: str) -> str | None:
    found = row.identifier(*names)
    if found is None:
        row.refuse(names[0], "missing", "the row has no id")
    return found


def _name(row: Row, *names: str) -> str | None:
    found = row.text(*names)
    if found is None:
        row.refuse(names[0], "missing", "the row has no name")
    return found


def _currency(row: Row) -> str | None:
    return row.text("CurrencyCode", "Currency")


def _seconds(hours: Decimal | None) -> int | None:
    if hours is None or hours < 0:
        return None
    return int(EXACT.multiply(hours, Decimal(_SECONDS_PER_HOUR)).to_integral_value())


def _is_synthetic(
    row: Row, client: Row | None, name: str | None, client_name: str | None, customer: str | None
) -> bool:
    of_client = client.identifier("QBCustomerId") if client else None
    if customer is not None and of_client is not None:
        return customer == of_client
    same = name is not None and name == client_name
    if same and customer is not None:
        row.note("is_synthetic: named as its client, and linked to QuickBooks")
    return same and customer is not None


def _rate_style(row: Row) -> dict[str, Any] | None:
    """Return the base rate: one of five of staff, one of five of labor codes, or a flat one."""
    number = row.number("BillingRate")
    if number is None or not 1 <= number <= _FLAT or number != int(number):
        return None
    style = int(number)
    if style == _FLAT:
        return {"kind": "flat"}
    if style <= _STAFF_SLOTS:
        return {"kind": "staff", "slot": style}
    return {"kind": "labor", "slot": style - _STAFF_SLOTS}


def _budget(row: Row, settings: BigTimeSettings) -> dict[str, Any] | None:
    amounts = {
        "hours": row.number("BudgetHours") or None,
        "fees": row.number("BudgetFees") or None,
        "expenses": row.number("BudgetExps") or None,
    }
    if not any(amounts.values()):
        return None
    return {**amounts, "currency": settings.base_currency}


def _addresses(row: Row) -> list[dict[str, Any]]:
    found = []
    for kind, prefix in (("main", ""), ("bill", "Bill")):
        street = (row.text(f"{prefix}Address") or "").splitlines()
        place = _joined(row.text(f"{prefix}{part}") for part in ("City", "State", "Zip"))
        country = row.text(f"{prefix}Country")
        lines = tuple(line for line in (*street, place) if line.strip())
        if lines or country:
            found.append({"kind": kind, "lines": lines, "country": country})
    return found


def _contacts(row: Row) -> list[dict[str, Any]]:
    found = []
    for contact in row.children("ContactList"):
        named = contact.text("FullNm") or _joined(contact.text(n) for n in ("FName", "SName"))
        role = _ROLES.get((contact.text("Tag") or "").strip().lower(), "other")
        values = {
            "role": role,
            "name": named or None,
            "email": contact.text("EMail"),
            "phone": contact.text("Phone"),
        }
        if any(values[name] for name in ("name", "email", "phone")):
            found.append(values)
    return found


def _joined(parts: Iterable[str | None]) -> str:
    return " ".join(part for part in parts if part)
