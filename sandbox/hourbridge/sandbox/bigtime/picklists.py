"""Picklists: what can be chosen, ids as text, active entries only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.list_routes import upsert, view
from hourbridge.sandbox.bigtime.project_routes import STATUSES
from hourbridge.sandbox.bigtime.refusals import not_found
from hourbridge.sandbox.bigtime.time_views import source_name
from hourbridge.sandbox.bigtime.values import Row

CALCULATORS = {
    1: "Time & Expenses",
    2: "Fixed Fee",
    3: "Retainer",
    4: "Line Per Entry",
}
REPORT_STATUSES = {1: "Draft", 2: "Submitted", 3: "Approved", 4: "Rejected", 5: "Posted"}
INVOICE_STATUSES = {1: "Draft", 2: "Final", 3: "Sent", 4: "Paid", 5: "Void"}
RATE_STYLES = {
    **{number: f"Staff Rate {number}" for number in range(1, 6)},
    **{number + 5: f"Labor Code Rate {number}" for number in range(1, 6)},
    11: "Flat Rate",
}
_FIELD_VALUES: dict[str, dict[int, str]] = {
    "invoicetype_subttl": {1: "Subtotal"},
    "ratetypesimple": RATE_STYLES,
    "lookupstaffhourlytype": {1: "Hourly", 2: "Salaried"},
    "lookupstafftype": {1: "Employee", 2: "Contractor"},
    "lookupclienttype": {1: "Client", 2: "Prospect"},
    "lookupprojecttype": {1: "Consulting", 2: "Internal"},
    "lookupprojectteamroles": {1: "Manager", 2: "Member"},
    "lookupclientcontacttype": {1: "PRIMARY", 2: "BILLING", 3: "OTHER"},
    "stafforglist": {1: "Main Office"},
    "staffteamlist": {1: "Team A"},
    "securitygroups": {1: "Administrators", 2: "Users"},
    "statusproduction": STATUSES,
    "statusbilling": STATUSES,
    "statusstaff": {1: "Active", 2: "On Leave", 3: "Terminated"},
    "statusexpenserpt": REPORT_STATUSES,
    "invoicetypes": CALCULATORS,
    "invoiceposttypes": {1: "One line per invoice line", 2: "One line per entry"},
}
_ZONES = ("America/New_York", "America/Los_Angeles", "Europe/Berlin", "UTC")
_TABLES = {
    "laborcodes": "labor_codes",
    "expensecodes": "expense_codes",
    "clients": "clients",
    "qbclasses": "qb_classes",
    "payrollitems": "payroll_items",
    "qbaccountlist": "qb_accounts",
    "qblist": "qb_list",
    "creditcards": "credit_cards",
}
Choices = Iterable[tuple[int | str, str | None, str | None]]


def picklist_routes() -> list[Route]:
    """Return the routes; all but one only read."""
    return [
        Route("GET", "picklist/fieldvalues/{}", _field_values),
        Route("GET", "picklist/alltasksbyproject/{}", _tasks),
        Route("GET", "picklist/tasksbyproject/{}", _tasks),
        Route("GET", "picklist/estimatesbyprojects/{}", _tasks),
        Route("GET", "picklist/{}", _picklist),
        Route("POST", "picklist/expensecode", _save_expense_code, "admin"),
    ]


def _entries(choices: Choices) -> list[Row]:
    rows = [
        {"Id": str(identity), "Name": name, "Group": group, "IsInactive": False}
        for identity, name, group in choices
    ]
    return sorted(rows, key=lambda row: (str(row["Name"]).casefold(), row["Id"]))


def _picklist(asked: Asked) -> list[Row]:
    name = asked.parts[0].lower()
    if name in _TABLES:
        return _entries(_of_table(asked.firm, _TABLES[name]))
    if name in _SPECIAL:
        return _entries(_SPECIAL[name](asked))
    raise not_found(f"Picklist {asked.parts[0]}")


def _of_table(firm: Firm, table: str) -> Choices:
    for row in firm.rows(table):
        if "Name" in row:
            yield row["Id"], row["Name"], row["Group"]
        else:
            yield row.get("Sid") or row["SystemId"], row["Nm"], row.get("GroupNm")


def _projects(asked: Asked) -> Choices:
    """List all projects: the service ignores ``staffsid`` here."""
    for row in asked.firm.rows("projects"):
        client = asked.firm.name_of("clients", row["ClientId"])
        yield row["SystemId"], row["Nm"], client


def _staff(asked: Asked) -> Choices:
    for row in asked.firm.rows("staff"):
        if asked.staffer(row["StaffSID"]) == row["StaffSID"]:
            yield row["StaffSID"], source_name(row), None


def _fixed(values: dict[int, str]) -> Callable[[Asked], Choices]:
    return lambda _asked: [(number, name, None) for number, name in values.items()]


_SPECIAL: dict[str, Callable[[Asked], Choices]] = {
    "projects": _projects,
    "staff": _staff,
    "taskstatus": _fixed(STATUSES),
    "taskpriority": _fixed({1: "High", 2: "Normal", 3: "Low"}),
    "expensetype": _fixed({1: "Reimbursable", 2: "Company Paid", 3: "Vendor"}),
    "invoicetypes": _fixed(CALCULATORS),
    "timezones": lambda _asked: [(zone, zone, None) for zone in _ZONES],
    "ialist": lambda _asked: [],
}


def _tasks(asked: Asked) -> list[Row]:
    asked.firm.need("projects", asked.identity())
    return _entries(
        (row["TaskSid"], row["TaskNm"], row["TaskGroup"])
        for row in asked.firm.rows("tasks")
        if row["ProjectSid"] == asked.identity() and not row["IsArchived"]
    )


def _field_values(asked: Asked) -> list[Row]:
    name = asked.parts[0].lower()
    if name == "currencylist":
        codes = {asked.firm.currency, "USD", "EUR", "GBP"}
        return _entries((code, code, None) for code in codes)
    if name not in _FIELD_VALUES:
        raise not_found(f"Field {asked.parts[0]}")
    return _entries((number, text, None) for number, text in _FIELD_VALUES[name].items())


def _save_expense_code(asked: Asked) -> Row:
    row = upsert(asked, "expense_codes", 0)
    return view(asked.firm, "expense_codes", row, detailed=True)
