"""Rules of time activities, and of the invoices that count them as billed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    CLASS,
    CUSTOMER,
    DEPARTMENT,
    EMPLOYEE,
    INVOICE,
    ITEM,
    TIME_ACTIVITY,
    VENDOR,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.lists import as_reference, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    invalid_property,
    invalid_reference,
    missing_parameter,
)
from hourbridge.sandbox.quickbooks_online.transactions import check_period_open
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    date_of,
    number_of,
    reference_of,
    required_reference,
    text_of,
    without_empty,
)

BILLABLE, NOT_BILLABLE, BILLED = "Billable", "NotBillable", "HasBeenBilled"
_LINK = TIME_ACTIVITY.name
_HOURS_MAX = 8760
_RATE_DECIMALS_MAX = 7
_PEOPLE = {"Employee": EMPLOYEE, "Vendor": VENDOR}


def shape(company: Company, given: Entity, current: Entity | None) -> Entity:
    """Return the activity to store for ``given``; raises the refusal of the first broken rule."""
    who = _PEOPLE.get(str(given.get("NameOf")))
    if who is None:
        raise Refusal("2170", "Invalid Enumeration", f"NameOf: {given.get('NameOf')}")
    person = referenced(company, who, required_reference(given, f"{who.name}Ref"))
    dated = date_of(given, "TxnDate") or company.clock.today()
    check_period_open(company, dated)
    _check_unbilled(current)
    status = _status(given, current)
    customer = _customer(company, given, status)
    rates = {name: _rate(given, name) for name in ("HourlyRate", "CostRate")}
    if status == BILLABLE and rates["HourlyRate"] is None:
        raise missing_parameter("HourlyRate")
    return without_empty(
        {
            "NameOf": who.name,
            f"{who.name}Ref": as_reference(who, person),
            "TxnDate": dated.isoformat(),
            **_duration(given),
            "CustomerRef": as_reference(CUSTOMER, customer) if customer else None,
            "ProjectRef": given.get("ProjectRef"),
            "ItemRef": _named(company, ITEM, given, "ItemRef") or _default_item(company),
            "ClassRef": _named(company, CLASS, given, "ClassRef"),
            "DepartmentRef": _named(company, DEPARTMENT, given, "DepartmentRef"),
            "BillableStatus": status,
            "Taxable": given.get("Taxable") is True,
            "Description": text_of(given, "Description", 4000),
            **rates,
        }
    )


def given_links(company: Company, given: Entity, customer_id: str) -> list[Entity]:
    """Return the time that an invoice says it bills: it must exist, and be of the same customer."""
    links = []
    for link in given.get("LinkedTxn") or []:
        if not isinstance(link, dict) or link.get("TxnType") != _LINK:
            continue
        activity = company.get(TIME_ACTIVITY, str(link.get("TxnId")))
        if activity is None:
            raise invalid_reference("TimeActivity", str(link.get("TxnId")))
        if activity.get("CustomerRef", {}).get("value") != customer_id:
            raise Refusal("620", "Transaction cannot be linked", "Another customer's time")
        if activity["BillableStatus"] == NOT_BILLABLE:
            raise Refusal("620", "Transaction cannot be linked", "The time is not billable")
        links.append({"TxnId": activity["Id"], "TxnType": _LINK})
    return links


def line_links(line: Entity) -> list[Entity] | None:
    """Return the time that a line says it bills, as it is kept with the line."""
    links = [x for x in line.get("LinkedTxn") or [] if x.get("TxnType") == _LINK]
    kept = [{**link, "TxnLineId": str(link.get("TxnLineId") or "1")} for link in links]
    return kept or None


def without_time(links: Iterable[Entity]) -> list[Entity]:
    """Return the links to anything but time."""
    return [link for link in links if link.get("TxnType") != _LINK]


def settle(company: Company, kind: Kind, before: Entity | None, after: Entity | None) -> None:
    """Let linked time be billed, and time that is linked no more be billable again.

    A header's link counts where one of the lines has it too.
    """
    if kind is not INVOICE:
        return
    had, has = _counted(before), _counted(after)
    for identity in sorted(had ^ has):
        activity = company.get(TIME_ACTIVITY, identity)
        if activity is not None:
            status = BILLED if identity in has else BILLABLE
            company.put(TIME_ACTIVITY, {**activity, "BillableStatus": status}, identity=identity)


def check_deletable(kind: Kind, current: Entity) -> None:
    """Refuse to delete time that an invoice bills."""
    if kind is TIME_ACTIVITY:
        _check_unbilled(current)


def _counted(invoice: Entity | None) -> set[str]:
    if invoice is None:
        return set()
    header = {x["TxnId"] for x in invoice.get("LinkedTxn", []) if x.get("TxnType") == _LINK}
    lines: set[Any] = {
        link["TxnId"]
        for line in invoice.get("Line", [])
        for link in line.get("LinkedTxn", [])
        if link.get("TxnType") == _LINK
    }
    return header & lines


def _check_unbilled(current: Entity | None) -> None:
    if current is not None and current.get("BillableStatus") == BILLED:
        raise business("This time activity has been billed; change or delete its invoice first.")


def _status(given: Entity, current: Entity | None) -> str:
    status = given.get("BillableStatus") or NOT_BILLABLE
    if status == BILLED and (current or {}).get("BillableStatus") != BILLED:
        raise business("BillableStatus can't be set to HasBeenBilled.")
    if status not in (BILLABLE, NOT_BILLABLE, BILLED):
        raise Refusal("2170", "Invalid Enumeration", f"BillableStatus: {status}")
    return str(status)


def _customer(company: Company, given: Entity, status: str) -> Entity | None:
    identity = reference_of(given, "CustomerRef")
    if identity is None and status == BILLABLE:
        raise missing_parameter("CustomerRef")
    return referenced(company, CUSTOMER, identity) if identity else None


def _duration(given: Entity) -> Entity:
    """Return hours and minutes, or start and end: one of the two is needed."""
    if given.get("StartTime") and given.get("EndTime"):
        names = ("StartTime", "EndTime", "BreakHours", "BreakMinutes")
        return {name: given[name] for name in names if given.get(name) is not None}
    if given.get("Hours") is None and given.get("Minutes") is None:
        raise missing_parameter("Hours")
    hours = number_of(given, "Hours", decimals_max=0) or Decimal(0)
    minutes = number_of(given, "Minutes", decimals_max=0) or Decimal(0)
    if not (0 <= minutes < 60 and 0 <= hours <= _HOURS_MAX):
        raise invalid_property("Minutes" if 0 <= hours <= _HOURS_MAX else "Hours")
    return {"Hours": int(hours), "Minutes": int(minutes)}


def _rate(given: Entity, name: str) -> Decimal | None:
    rate = number_of(given, name, decimals_max=_RATE_DECIMALS_MAX)
    if rate is not None and rate < 0:
        raise invalid_property(name)
    return rate


def _named(company: Company, kind: Kind, given: Entity, name: str) -> Entity | None:
    identity = reference_of(given, name)
    return as_reference(kind, referenced(company, kind, identity)) if identity else None


def _default_item(company: Company) -> Entity | None:
    item = next((each for each in company.all(ITEM) if each.get("Type") == "Service"), None)
    return as_reference(ITEM, item) if item else None
