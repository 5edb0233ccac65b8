"""Time from the connector report: one call for everybody, rows by position.

An administrator made the report and can change it. So its columns are looked up anew in each
answer, whatever their order, and when a needed one is missing nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hourbridge.common.errors import SourceRefused
from hourbridge.common.messages.events import FieldReason
from hourbridge.connectors.bigtime.rows import Row, raw_of
from hourbridge.connectors.bigtime.settings import NEEDED_COLUMNS, ReportSettings
from hourbridge.connectors.bigtime.transport import Transport
from hourbridge.connectors.source import Span

COLUMN_MISSING = "report_column_missing"
_NUMBERS = frozenset({"Hours_IN", "HoursBillable", "BillRate", "ChargeBillable", "CostRate"})
_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_MARKED = {
    ".": re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?"),
    ",": re.compile(r"-?(\d+|\d{1,3}([.\u00a0\u202f ]\d{3})+)(,\d+)?"),
}


def read_report(transport: Transport, report: ReportSettings, span: Span) -> list[Row]:
    """Return the report's rows of some days under the names that sheets have.

    Raises SourceRefused when it lacks a needed column.
    """
    body = {"DT_BEGIN": span.first.isoformat(), "DT_END": span.last.isoformat()}
    answer = transport.row("POST", f"report/data/{report.id}", body=body)
    positions = _positions(answer, report)
    rows = answer.value("Data")
    if rows is not None and not isinstance(rows, list):
        raise SourceRefused(
            "the report's answer has no rows", reason_code="report_unreadable", report=report.id
        )
    return [_row(cells, positions, report) for cells in rows or ()]


def _positions(answer: Row, report: ReportSettings) -> dict[str, int]:
    """Return where each field is; columns are told by name, never by place."""
    columns: dict[str, int] = {}
    for at, field in enumerate(answer.value("FieldList") or ()):
        name = Row(field).text("FieldNm", "Name") if isinstance(field, Mapping) else str(field)
        if name is not None:
            columns.setdefault(name.lower(), at)
    missing = [
        report.columns[name]
        for name in NEEDED_COLUMNS
        if report.columns[name].lower() not in columns
    ]
    if missing:
        raise SourceRefused(
            f"report {report.id} lacks the columns {', '.join(missing)}; nothing is read from it",
            advice="Put the columns back into the report in BigTime, or change the connection.",
            reason_code=COLUMN_MISSING,
        )
    return {
        field: columns[column.lower()]
        for field, column in report.columns.items()
        if column.lower() in columns
    }


def _row(cells: Any, positions: Mapping[str, int], report: ReportSettings) -> Row:
    if not isinstance(cells, Sequence) or isinstance(cells, str):
        row = Row({}, raw_of({"row": cells}))
        row.refuse("(row)", "not_a_row", "the report states something that is no row")
        return row
    values = {name: cells[at] for name, at in positions.items() if at < len(cells)}
    raw = raw_of(values)
    reasons = _read_numbers(values, report.decimal_mark)
    row = Row(values, raw, reasons)
    if len(cells) <= max(positions.values()):
        row.refuse("(row)", "row_too_short", f"{len(cells)} cells, too few for the columns")
    return row


def _read_numbers(values: dict[str, Any], mark: str | None) -> list[FieldReason]:
    """Turn numbers in the firm's own writing into plain ones, in place; never by guessing.

    Returns what is wrong with those that can't be.
    """
    wrong = []
    for name in sorted(_NUMBERS & values.keys()):
        cell = values[name]
        if not isinstance(cell, str) or not cell.strip():
            continue
        text = cell.strip()
        if mark is not None and _MARKED[mark].fullmatch(text):
            group = "," if mark == "." else "[.\u00a0\u202f ]"
            values[name] = re.sub(group, "", text).replace(mark, ".")
        elif not _PLAIN.fullmatch(text):
            detail = f"{text[:40]!r} is in some local form; set report.decimal_mark"
            wrong.append(FieldReason(field=name, code="number_localised", detail=detail))
    return wrong
