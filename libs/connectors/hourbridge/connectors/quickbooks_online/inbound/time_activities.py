"""Time that people entered in the ledger itself, as time entries: an import of history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from hourbridge.common.messages.records import (
    Approval,
    ApprovalState,
    BillableState,
    ExternalLink,
    StatedRate,
    TimeEntry,
    WorkedTime,
)
from hourbridge.connectors.quickbooks_online.inbound.asking import Row, instant_of
from hourbridge.connectors.quickbooks_online.inbound.telling import (
    Told,
    name_in,
    state,
    value_of,
)
from hourbridge.connectors.quickbooks_online.marker import marked_id
from hourbridge.connectors.quickbooks_online.reading import optional_decimal

IMPORTED = "imported from the ledger"
OWN = "own_document"
_DAY = timedelta(days=1)
_HOUR_SECONDS = 3600
_MINUTE_SECONDS = 60


class TimeActivities:
    """Tells time activities of one company."""

    def __init__(self, company_id: str) -> None:
        self._company_id = company_id

    def tell(
        self, entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None
    ) -> None:
        """State what others entered; what we posted ourselves is counted and left out."""
        for row in rows:
            if marked_id(row.get("Description")) is not None:
                told.skip(OWN)
                continue
            told.statements.append(
                state(
                    entity,
                    row,
                    partial(self._entry, row),
                    external_id=str(row.get("Id")),
                    least=least,
                )
            )

    def _entry(self, row: Row) -> TimeEntry:
        status = row.get("BillableStatus", "NotBillable")
        is_billable = status in ("Billable", "HasBeenBilled")
        person = "EmployeeRef" if row.get("NameOf") == "Employee" else "VendorRef"
        of_list = "employee" if person == "EmployeeRef" else "vendor"
        seconds, rest = worked(row)
        return TimeEntry(
            external_id=str(row["Id"]),
            source_updated_at=instant_of(row),
            # Ids of employees and of vendors may be equal.
            staff_id=f"{of_list}:{row[person]['value']}",
            staff_name=name_in(row, person),
            vendor_id=value_of(row, "VendorRef"),
            client_id=value_of(row, "CustomerRef"),
            client_name=name_in(row, "CustomerRef"),
            project_id=value_of(row, "ProjectRef"),
            project_name=name_in(row, "ProjectRef"),
            labor_code_id=value_of(row, "ItemRef"),
            service_item_hint=name_in(row, "ItemRef"),
            work_date=date.fromisoformat(str(row["TxnDate"])[:10]),
            original_start_text=row.get("StartTime"),
            original_end_text=row.get("EndTime"),
            input=WorkedTime(seconds=seconds),
            break_seconds=rest,
            entry_mode="duration_only" if "StartTime" not in row else "manual",
            payroll_item_id=value_of(row, "PayrollItemRef"),
            billable_state=BillableState.BILLABLE if is_billable else BillableState.NON_BILLABLE,
            billable_reason="entry",
            bill_rate=_rate(row, "HourlyRate"),
            cost_rate=_rate(row, "CostRate"),
            class_id=value_of(row, "ClassRef"),
            department_id=value_of(row, "DepartmentRef"),
            approval=Approval(state=ApprovalState.NOT_REQUIRED),
            invoiced=status == "HasBeenBilled",
            exported=True,
            post_status="posted",
            notes=row.get("Description"),
            links=(self._link(row),),
            derivation=(IMPORTED,),
        )

    def _link(self, row: Row) -> ExternalLink:
        return ExternalLink(
            target_system="quickbooks_online",
            target_company=self._company_id,
            type="TimeActivity",
            id=str(row["Id"]),
            edit_token=str(row["SyncToken"]),
            role="origin",
        )


def worked(row: Row) -> tuple[int, int]:
    """Return seconds worked and seconds of break: as a duration, or from start to end.

    Only the clock part of start and end counts; an end before its start is on the next day.
    """
    rest = _seconds(row, "BreakHours", "BreakMinutes", "BreakSeconds")
    if "StartTime" not in row or "EndTime" not in row:
        return _seconds(row, "Hours", "Minutes", "Seconds"), rest
    span = _clock(row["EndTime"]) - _clock(row["StartTime"])
    if span < timedelta(0):
        span += _DAY
    return max(0, int(span.total_seconds()) - rest), rest


def _seconds(row: Row, hours: str, minutes: str, seconds: str) -> int:
    return (
        int(row.get(hours, 0)) * _HOUR_SECONDS
        + int(row.get(minutes, 0)) * _MINUTE_SECONDS
        + int(row.get(seconds, 0))
    )


def _clock(text: Any) -> timedelta:
    """Return the time of day in a full timestamp or in a bare time."""
    _, found, bare = str(text).partition("T")
    hours, minutes, seconds = (bare if found else str(text))[:8].split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))


def _rate(row: Row, name: str) -> StatedRate | None:
    amount = optional_decimal(row.get(name))
    return None if amount is None else StatedRate(amount=amount, origin=name)
