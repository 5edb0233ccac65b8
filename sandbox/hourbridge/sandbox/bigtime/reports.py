"""Reports: tables of time or expenses whose columns an administrator chose once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.expense_routes import expense_view
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.refusals import invalid, not_found
from hourbridge.sandbox.bigtime.time_views import entry_view
from hourbridge.sandbox.bigtime.values import Row, lowered, read

_TIME = {
    "tmsid": "SID",
    "tmdt": "Dt",
    "tmstaffsid": "StaffSID",
    "tmstaffnm": "SourceNm",
    "tmclientnm": "ClientNm",
    "tmclientnm_id": "ClientID",
    "tmprojectnm": "ProjectNm",
    "tmprojectnm_id": "ProjectSID",
    "tmprojectsid": "ProjectSID",
    "tmlaborcodenm": "BudgCatNm",
    "tmlaborcodesid": "BudgCatID",
    "tmtasknm": "TaskNm",
    "tmtasksid": "TaskSID",
    "tmhrsin": "Hours_IN",
    "tmhrsbill": "HoursBillable",
    "tmbillrate": "BillRate",
    "tmcostrate": "CostRate",
    "tmchgbillbase": "ChargeBillable",
    "tmnocharge": "NoCharge",
    "tmnotes": "Notes",
    "tmapproved": "IsApproved",
    "tmstatus": "ApprovalStatusNm",
    "tminvoicesid": "InvoiceSID",
}
_EXPENSES = {
    "exsid": "SID",
    "exdt": "Dt",
    "exstaffsid": "StaffSID",
    "exstaffnm": "SourceNm",
    "exclientnm": "ClientNm",
    "exprojectnm": "ProjectNm",
    "exprojectsid": "ProjectSID",
    "excatnm": "CatNm",
    "excostin": "CostIN",
    "excostpayable": "CostPayable",
    "excostbill": "CostBill",
    "exnotes": "Nt",
    "exapproved": "IsApproved",
    "exinvoicesid": "InvoiceSid",
}
ONLY_HERE = ("tmcurrency", "tmposted", "excurrency", "exposted")
"""Columns that no object endpoint has: the currency, and whether it went to the ledger."""


def define(
    firm: Firm, name: str, columns: list[str], *, source: str = "time", localised: bool = False
) -> Row:
    """Add a report, or change the one of that name, and return it.

    ``localised`` writes numbers as text with a comma, as a report does in another locale.
    """
    if source not in ("time", "expenses"):
        raise ValueError("source is time or expenses")
    known = {**(_TIME if source == "time" else _EXPENSES), **dict.fromkeys(ONLY_HERE)}
    unknown = [column for column in columns if column not in known]
    if unknown:
        raise ValueError(f"unknown columns {unknown}; known: {sorted(known)}")
    found = next((row for row in firm.reports.values() if row["Name"] == name), None)
    identity = found["Id"] if found else firm.next_id("reports", 88_001)
    firm.reports[identity] = {
        "Id": identity,
        "Name": name,
        "source": source,
        "columns": list(columns),
        "localised": localised,
        "span": found["span"] if found else None,
    }
    return firm.reports[identity]


def report_routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", "report/detail/{}", _detail, "admin"),
        Route("GET", "report/data/{}", _again, "admin"),
        Route("POST", "report/data/{}", _run, "admin", only_reads=True),
    ]


def _need(asked: Asked) -> Row:
    report = asked.firm.reports.get(asked.identity())
    if report is None:
        raise not_found(f"Report {asked.identity()}")
    return report


def _detail(asked: Asked) -> Row:
    report = _need(asked)
    return {"Id": report["Id"], "Name": report["Name"], "FieldList": _fields(report)}


def _run(asked: Asked) -> Row:
    report, given = _need(asked), lowered(asked.fields())
    first = read(given.get("dt_begin"), "day", "DT_BEGIN")
    last = read(given.get("dt_end"), "day", "DT_END")
    if first is None or last is None:
        raise invalid("DT_BEGIN and DT_END are required.")
    report["span"] = [first, last]
    return _data(asked.firm, report)


def _again(asked: Asked) -> Row:
    report = _need(asked)
    if report["span"] is None:
        today = asked.firm.today()
        report["span"] = [f"{today[:8]}01", today]
    return _data(asked.firm, report)


def _fields(report: Row) -> list[Row]:
    return [{"FieldNm": column} for column in report["columns"]]


def _data(firm: Firm, report: Row) -> Row:
    first, last = report["span"]
    rows = _time_rows if report["source"] == "time" else _expense_rows
    show: Callable[[Any], Any] = _localised if report["localised"] else lambda value: value
    data = [[show(row[c]) for c in report["columns"]] for row in rows(firm, first, last)]
    return {"Data": data, "FieldList": _fields(report)}


def _time_rows(firm: Firm, first: str, last: str) -> list[Row]:
    posted = _posted(firm, "time")
    entries = sorted(
        (entry for entry in firm.time if first <= entry.dt <= last),
        key=lambda entry: (entry.dt, abs(entry.sid)),
    )
    found = []
    for entry in entries:
        shown = entry_view(firm, entry, detailed=True)
        row: Row = {column: shown.get(name) for column, name in _TIME.items()}
        found.append(row | {"tmcurrency": firm.currency, "tmposted": entry.sid in posted})
    return found


def _expense_rows(firm: Firm, first: str, last: str) -> list[Row]:
    posted = _posted(firm, "expense")
    found = []
    for expense in sorted(firm.expenses.values(), key=lambda each: (each.dt, each.sid)):
        if first <= expense.dt <= last:
            shown = expense_view(firm, expense, detailed=True)
            row: Row = {column: shown.get(name) for column, name in _EXPENSES.items()}
            found.append(row | {"excurrency": expense.currency, "exposted": expense.sid in posted})
    return found


def _posted(firm: Firm, kind: str) -> set[int]:
    return {sid for document in firm.posted if document["kind"] == kind for sid in document["sids"]}


def _localised(value: Any) -> Any:
    """Return a number as text with dots between thousands and a decimal comma."""
    if isinstance(value, Decimal):
        return f"{value:,f}".translate(str.maketrans(",.", ".,"))
    return value
