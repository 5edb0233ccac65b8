"""A ready-made firm: an agency of six with a month of work, and everything that is awkward."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

from hourbridge.sandbox.bigtime import people
from hourbridge.sandbox.bigtime.firm import SHAPES, Firm, User
from hourbridge.sandbox.bigtime.values import Row
from hourbridge.sandbox.bigtime.volume import working_days

LONG_NAME = "Municipal Water, Sewage, Roads and Public Lighting Administration ".ljust(200, "x")
"""A client's name of 200 characters."""
EMOJI_NAME = "Café Zoë 🚀 & Söhne"

_STAFF: list[Row] = [
    {"FName": "Ada", "SName": "Berg", "Rate1": 150, "CostFactor": 60, "QBEmployeeId": "55"},
    {"FName": "Bela", "SName": "Cohn", "Rate1": 120, "CostFactor": 48, "QBEmployeeId": "56"},
    {"FName": "Cleo", "SName": "Diaz", "Rate1": 95, "CostFactor": 40, "QBEmployeeId": "57"},
    {"FName": "Dov", "SName": "Eder", "Rate1": 180, "CostFactor": 75, "QBEmployeeId": "58"},
    {"FName": "Emil", "SName": "Funk", "Rate1": 110, "CostFactor": 45, "Term_dt": "2026-10-20"},
    {
        "FName": "Freya",
        "SName": "Gold",
        "Title": "Subcontractor",
        "Rate1": 140,
        "CostFactor": 60,
        "StaffType": 2,
        "PostTimeAsBilled": True,
        "QBVendorId": "71",
    },
]
_CLIENTS: list[Row] = [
    {"Nm": "Edison Attic", "QBCustomerId": "101", "Address": "1 Lamp St", "City": "Menlo Park"},
    {"Nm": EMOJI_NAME, "Country": "AT"},
    {"Nm": LONG_NAME},
    {"Nm": "Curie Labs", "QBCustomerId": "102", "ClientId": "CUR"},
    {"Nm": "Curie Labs Inc.", "IsInactive": True},
]
_PROJECTS: list[Row] = [
    {"Nm": "Evaluation", "ClientId": 1, "BillingRate": 1},
    {"Nm": "Refit", "ClientId": 1, "BillingRate": 11, "BasicRate": 130},
    {"Nm": "Menü 🍰", "ClientId": 2, "BillingRate": 6},
    {"Nm": "Water Meters", "ClientId": 3, "BillingRate": 1, "BudgetHours": 400},
    {"Nm": "Radium", "ClientId": 4, "BillingRate": 1, "QBClassDefault": "East"},
    {"Nm": "Radium Support", "ClientId": 4, "BillingRate": 1},
    {"Nm": "Internal", "ClientId": 1, "IsNoCharge": True},
    {"Nm": "Old Polonium", "ClientId": 5, "BillingRate": 1},
]
_LABOR_CODES: list[Row] = [
    {"Nm": "Design", "Rate1": 125, "QBItemId": "5", "GroupNm": "Creative"},
    {"Nm": "Development", "Rate1": 135, "QBItemId": "6", "GroupNm": "Technical"},
    {"Nm": "Consulting", "Rate1": 160, "QBItemId": "7", "GroupNm": "Technical"},
    {"Nm": "Vacation", "NoCharge": True},
    {"Nm": "Retired Code", "QBItemId": "9"},
]
_TASKS: list[Row] = [
    {"TaskNm": "Phase 1", "ProjectSid": 1, "TaskGroup": "Fees"},
    {"TaskNm": "Interviews", "ProjectSid": 1, "ParentSid": 1},
    {"TaskNm": "Warranty", "ProjectSid": 2, "NoCharge": True},
]
_EXPENSE_CODES: list[Row] = [
    {"Nm": "Travel", "Markup": 10, "QBAccountId": "61"},
    {"Nm": "Mileage", "IsUnit": True, "UOM": "miles", "UnitRate": "0.485", "UnitPrice": "0.55"},
    {"Nm": "Software", "QBItemId": "12"},
    {"Nm": "Copies", "IsServiceFee": True},
]
_CHOICES: dict[str, list[Row]] = {
    "qb_classes": [{"Name": "East"}, {"Name": "West"}, {"Name": "Closed", "IsInactive": True}],
    "qb_accounts": [{"Name": "Checking", "Group": "Bank"}, {"Name": "Accounts Payable"}],
    "qb_list": [{"Name": "Design", "Group": "Service"}, {"Name": "Development"}],
    "payroll_items": [{"Name": "Hourly"}, {"Name": "Overtime"}],
    "credit_cards": [{"Name": "Visa 4711"}, {"Name": "Amex 1001"}],
    "vendors": [{"Name": "Freya Gold GmbH"}, {"Name": "Hotel Ritz"}],
    "terms": [{"Name": "Net 30", "Days": 30}, {"Name": "Net 15", "Days": 15}],
    "tax_rates": [{"Name": "City", "Rate": "8.25"}],
}
_CUSTOM_RATES: list[Row] = [
    {"ProjectSid": 1, "LaborCodeSid": 3, "RateValue": 225},
    {"ProjectSid": 1, "StaffSid": 3, "RateValue": 95},
]
_NOTES = ("Workshop", "line one\nline two", "Überarbeitung — «final»", "fix 🐛", None)
_REPORTS = {
    "Connector Time": "tmsid tmdt tmstaffsid tmstaffnm tmprojectsid tmhrsin tmhrsbill tmbillrate "
    "tmchgbillbase tmapproved tmcurrency tmposted",
    "Connector Expenses": "exsid exdt exstaffsid excostin excostbill excurrency exposted",
}
"""Two reports and their columns, as a connector would have them made."""
_RECEIPT = base64.b64encode(b"%PDF-1.4\n% a receipt\n%%EOF\n").decode()


def fill_agency(firm: Firm, *, month: str = "2026-10") -> None:
    """Fill the agency with its lists and a month of work.

    The first half of the month is approved, then come a week of submitted and days of open time.
    """
    _fill_lists(firm)
    first = date.fromisoformat(f"{month}-01")
    days = [day for day in working_days(first, first.replace(day=28)) if day <= f"{month}-28"]
    half, three_quarters = days[len(days) // 2], days[3 * len(days) // 4]
    for number, day in enumerate(days):
        for staff in range(1, 7):
            _enter(firm, day, staff, number)
    _enter_twins(firm, days[1])
    people.act(firm, "submit_time", {"last": three_quarters})
    people.act(firm, "approve_time", {"last": half})
    _enter_expenses(firm, days)
    invoice = {"ProjectSid": 6, "InvoiceType": 1, "EndDt": half, "TermsSid": 1}
    people.act(firm, "compose_invoice", {**invoice, "Status": 3})
    people.act(firm, "compose_invoice", {"ProjectSid": 4, "InvoiceType": 3, "EndDt": half})
    for name, columns in _REPORTS.items():
        source = "time" if name.endswith("Time") else "expenses"
        report = {"name": name, "columns": columns.split(), "source": source}
        people.act(firm, "define_report", report)
    # What was used stays on old entries although it can no longer be chosen, or is gone.
    people.act(firm, "save", {"table": "clients", "id": 5, "changes": {"IsInactive": True}})
    people.act(firm, "save", {"table": "projects", "id": 8, "changes": {"IsInactive": True}})
    people.act(firm, "save", {"table": "staff", "id": 5, "changes": {"IsInactive": True}})
    people.act(firm, "remove", {"table": "labor_codes", "id": 5})


def _fill_lists(firm: Firm) -> None:
    lists = {
        "staff": _STAFF,
        "clients": _CLIENTS,
        "projects": _PROJECTS,
        "labor_codes": _LABOR_CODES,
        "tasks": _TASKS,
        "expense_codes": _EXPENSE_CODES,
        "rates": _CUSTOM_RATES,
        **_CHOICES,
    }
    for table, rows in lists.items():
        for row in rows:
            firm.save(table, 0, SHAPES[table].changes(row))
    for sid, staff in firm.tables["staff"].items():
        staff["EMail"] = f"{staff['FName'].lower()}@agency.test"
        staff["HomeTimezone"] = firm.zone
        firm.users.append(User(staff["EMail"], "agency", sid, is_admin=sid == 1))
    fields = {"kind": "project", "id": 4, "values": {"Retainer": "5000", "PO": "4711"}}
    people.act(firm, "set_fields", fields)
    firm.project_team[1] = [{"staffsid": 1, "ContactRole": "Manager", "TeamLead": True}]


def _enter(firm: Firm, day: str, staff: int, number: int) -> None:
    """Enter one day of one staffer; which work it was follows from the day and the staffer."""
    turn = number + staff
    project = 7 if turn % 11 == 0 else 1 + turn % 6
    body: dict[str, Any] = {
        "Dt": day,
        "StaffSID": staff,
        "ProjectSID": 8 if number == 0 and staff == 5 else project,
        "BudgCatID": 5 if number == 0 and staff == 2 else 1 + turn % 3,
        "TaskSID": 1 if project == 1 and staff % 2 else 0,
        "Hours_IN": ("7.5", "8", "6.25", "1.23", "4")[turn % 5],
        "Notes": _NOTES[turn % 5],
        "NoCharge": turn % 13 == 0,
        "QBClass": 1 if project == 5 else 0,
    }
    if turn % 7 == 0:
        body["HoursBillable"] = "3.5"
    people.act(firm, "enter_time", body)


def _enter_twins(firm: Firm, day: str) -> None:
    """Enter the same work twice: two calls of a quarter hour with equal notes, both real."""
    for _ in range(2):
        twin = {"Dt": day, "StaffSID": 4, "ProjectSID": 1, "BudgCatID": 3, "Hours_IN": "0.25"}
        people.act(firm, "enter_time", {**twin, "Notes": "Call with the client"})


def _enter_expenses(firm: Firm, days: list[str]) -> None:
    """Enter an expense of every kind: own money, miles, cards, a credit, a fee, a vendor's."""
    trip = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 1, "Dt": days[2], "CostIN": "200.00"}
    own = people.act(firm, "enter_expense", {**trip, "Nt": "Train to the client"})
    receipt = {"sid": own["SID"], "FileName": "train.pdf", "ContentType": "application/pdf"}
    people.act(firm, "attach_receipt", {**receipt, "Data": _RECEIPT})
    miles = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 2, "Dt": days[3], "Units": 3}
    people.act(firm, "enter_expense", miles)
    subcontractor = {"StaffSID": 6, "ProjectSID": 5, "CatSID": 1, "Dt": days[4], "CostIN": "89.90"}
    people.act(firm, "enter_expense", subcontractor)
    for staff in (1, 6):
        people.act(firm, "submit_expenses", {"staff": staff, "name": f"Trips of {staff}"})
    people.act(firm, "approve_expenses", {"staff": 1})
    card = {"StaffSID": 2, "ProjectSID": 4, "CatSID": 3, "Dt": days[5], "CCardSid": 1}
    people.act(firm, "enter_expense", {**card, "CostIN": "49.00", "Nt": "Licence ✂"})
    people.act(firm, "enter_expense", {**card, "CostIN": "-19.00", "Nt": "Refund"})
    copies = {"StaffSID": 3, "ProjectSID": 1, "CatSID": 4, "Dt": days[6], "CostIN": "12.50"}
    people.act(firm, "enter_expense", copies)
    hotel = {**trip, "CostIN": "310.00", "VendorSID": 2, "BillSid": 900, "RefNbr": "H-77"}
    people.act(firm, "enter_expense", {**hotel, "vendor_expense": True, "DueDate": days[-1]})
