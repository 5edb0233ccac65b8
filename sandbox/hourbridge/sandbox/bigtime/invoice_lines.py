"""Composing the lines of an invoice: what each calculator makes of unbilled work."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hourbridge.sandbox.bigtime.expense_book import Expense
from hourbridge.sandbox.bigtime.expense_work import cost_bill
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.rating import charge
from hourbridge.sandbox.bigtime.refusals import invalid
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.time_views import source_name
from hourbridge.sandbox.bigtime.time_work import hours_billable
from hourbridge.sandbox.bigtime.values import ZERO, Row, cents, read

TIME_AND_EXPENSES, FIXED_FEE, RETAINER, LINE_PER_ENTRY = range(1, 5)
TIME, EXPENSE, FIXED, SHOWN_ONLY = "Time", "Expense", "Fixed", "Info"


def compose(
    firm: Firm,
    project: Row,
    calculator: int,
    time: Sequence[TimeEntry],
    expenses: Sequence[Expense],
) -> list[Row]:
    """Return the lines of a draft; work under a fixed amount is shown but not totalled."""
    if calculator == LINE_PER_ENTRY:
        lines = [_entry_line(firm, entry) for entry in time]
        return [*lines, *(_expense_line(firm, expense) for expense in expenses)]
    if calculator == TIME_AND_EXPENSES:
        return [*_lines_by_labor_code(firm, time, TIME), *_lines_by_code(firm, expenses)]
    amount = _fixed_amount(firm, project, calculator)
    name = "Retainer" if calculator == RETAINER else "Fixed fee"
    fixed = line(FIXED, name, Quantity=Decimal(1), Rate=amount, Amt=amount)
    shown = _lines_by_labor_code(firm, time, SHOWN_ONLY)
    return [fixed, *shown, *_lines_by_code(firm, expenses)]


def line(line_type: str, name: str | None, **values: object) -> Row:
    """Return one line with everything that lines have."""
    return {
        "LineNbr": 0,
        "LineType": line_type,
        "Source": line_type,
        "Nm": name,
        "Nt": None,
        "AcctSid": 0,
        "AcctSidNm": None,
        "QBClassSid": 0,
        "QBClassNm": None,
        "BudgetPer": ZERO,
        "IsCredit": False,
        "IsNonTimeCharge": line_type != TIME,
        "IsTaxable": False,
        "Quantity": ZERO,
        "Rate": ZERO,
        "Amt": ZERO,
        "SubTotalSid": 0,
        "SalesTaxSid": 0,
        "SalesTaxNm": None,
        "SalesTaxAmt": ZERO,
        **values,
    }


def _fixed_amount(firm: Firm, project: Row, calculator: int) -> Decimal:
    if calculator == FIXED_FEE:
        return cents(Decimal(project["BudgetFees"]))
    rows = firm.custom_fields.get(f"project:{project['SystemId']}", [])
    name = firm.settings.retainer_field
    text = next((row["Value"] for row in rows if row["Name"] == name), None)
    if text is None:
        raise invalid(f"The project has no amount in its custom field {name}.")
    return cents(read(text, "number", name))


def _lines_by_labor_code(firm: Firm, time: Sequence[TimeEntry], line_type: str) -> list[Row]:
    """Return a line for each labor code and rate; amounts are the sums of the entries'."""
    grouped: dict[tuple[int, Decimal, int], list[TimeEntry]] = {}
    for entry in time:
        grouped.setdefault((entry.labor, entry.bill_rate, entry.qb_class), []).append(entry)
    lines = []
    for (labor, rate, qb_class), entries in grouped.items():
        hours = [hours_billable(firm, entry) for entry in entries]
        amounts = [charge(*pair) for pair in zip(entries, hours, strict=True)]
        total = ZERO if line_type == SHOWN_ONLY else sum(amounts, ZERO)
        name = firm.name_of("labor_codes", labor)
        quantity = sum(hours, ZERO)
        row = line(line_type, name, Quantity=quantity, Rate=rate, Amt=total, QBClassSid=qb_class)
        row["QBClassNm"] = firm.name_of("qb_classes", qb_class, "Name")
        lines.append(row)
    return lines


def _lines_by_code(firm: Firm, expenses: Sequence[Expense]) -> list[Row]:
    grouped: dict[int, Decimal] = {}
    for expense in expenses:
        grouped[expense.category] = grouped.get(expense.category, ZERO) + cost_bill(firm, expense)
    return [
        _amount_line(firm.name_of("expense_codes", category), amount)
        for category, amount in grouped.items()
    ]


def _amount_line(name: str | None, amount: Decimal) -> Row:
    return line(EXPENSE, name, Quantity=Decimal(1), Rate=amount, Amt=amount, IsCredit=amount < ZERO)


def _entry_line(firm: Firm, entry: TimeEntry) -> Row:
    hours = hours_billable(firm, entry)
    name = firm.name_of("labor_codes", entry.labor)
    who = source_name(firm.row("staff", entry.staff) or {})
    note = "\n".join(filter(None, (f"{entry.dt} {who}", entry.notes)))
    amount = charge(entry, hours)
    return line(TIME, name, Nt=note, Quantity=hours, Rate=entry.bill_rate, Amt=amount)


def _expense_line(firm: Firm, expense: Expense) -> Row:
    row = _amount_line(firm.name_of("expense_codes", expense.category), cost_bill(firm, expense))
    return row | {"Nt": "\n".join(filter(None, (expense.dt, expense.notes)))}
