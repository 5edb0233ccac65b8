"""What a BigTime connection can be set to; everything has a default but the base currency."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.messages.fields import CurrencyCode, Identifier

NEEDED_COLUMNS = ("SID", "Dt", "StaffSID", "ProjectSID", "Hours_IN", "HoursBillable")
"""Without these a row is no entry whose identity, price and place can be told."""

CONNECTOR_REPORT = {
    "SID": "tmsid",
    "Dt": "tmdt",
    "StaffSID": "tmstaffsid",
    "SourceNm": "tmstaffnm",
    "ClientID": "tmclientnm_id",
    "ClientNm": "tmclientnm",
    "ProjectSID": "tmprojectsid",
    "ProjectNm": "tmprojectnm",
    "BudgCatID": "tmlaborcodesid",
    "BudgCatNm": "tmlaborcodenm",
    "TaskSID": "tmtasksid",
    "TaskNm": "tmtasknm",
    "Hours_IN": "tmhrsin",
    "HoursBillable": "tmhrsbill",
    "BillRate": "tmbillrate",
    "ChargeBillable": "tmchgbillbase",
    "CostRate": "tmcostrate",
    "NoCharge": "tmnocharge",
    "Notes": "tmnotes",
    "IsApproved": "tmapproved",
    "ApprovalStatusNm": "tmstatus",
    "InvoiceSID": "tminvoicesid",
    "Currency": "tmcurrency",
    "IsPosted": "tmposted",
}
"""The columns of the connector report, as docs/bigtime.md tells an administrator to make it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportSettings(_Part):
    """The report that time is read from instead of one sheet per person."""

    id: Identifier
    columns: dict[str, str] = CONNECTOR_REPORT
    """Field of an entry to the report's column. Those without a column in the report are left
    out, except the needed ones: without them nothing is read."""
    decimal_mark: Literal[".", ","] | None = None
    """How the firm's reports write numbers as text; None: text that isn't plain is refused."""
    days_per_call: int = Field(7, ge=1, le=92)


class BigTimeSettings(_Part):
    """A connection's settings. What a filter leaves out is counted, never silently dropped."""

    base_currency: CurrencyCode | None = None
    """The firm's. Time and expenses carry no currency: it is taken for them, and said so."""
    zone: str | None = None
    """The firm's IANA zone, for staffers without one of their own."""
    zones: dict[str, str] = Field(default_factory=dict)
    """Further codes of HomeTimezone to IANA names."""
    company: str | None = None
    """The QuickBooks company that QBCustomerId and its like point into."""

    time_from: Literal["staff", "projects", "report"] = "staff"
    report: ReportSettings | None = None
    window_days: int = Field(45, ge=1, le=366)
    """How far back every reading of time and expenses goes."""
    days_ahead: int = Field(14, ge=0, le=366)
    """Entries may be made in advance."""
    invoice_window_days: int = Field(120, ge=1, le=1830)
    history_days_per_call: int = Field(31, ge=1, le=92)
    calls_per_page: int = Field(10, ge=1, le=100)
    """How many calls a page costs at most: what is lost when a process dies in it."""
    sweep_hours: int = Field(24, ge=1, le=24 * 31)
    """After so long every detail is read again, whether its changed date moved or not."""
    totals_hours: int = Field(24, ge=1, le=24 * 31)
    """After so long a reading of time asks for the daily totals too: one call per person more."""

    approved_only: bool = False
    """Leave out time and expenses that nobody has approved."""
    projects: frozenset[str] = frozenset()
    """Read only these projects' time and expenses (ids); empty: all."""
    staff: frozenset[str] = frozenset()
    """Read only these people's time and expenses (ids); empty: all."""
    not_before: date | None = None
    """Leave out time and expenses of earlier days: they belong to whatever was used before."""
    service_fee_codes: frozenset[str] = frozenset()
    """Expense codes that are internal charges to the client: nobody is paid for them."""

    @property
    def is_usable_report(self) -> bool:
        """Return whether time can be read the way that is set."""
        return self.time_from != "report" or self.report is not None


def read_settings(values: Mapping[str, Any]) -> BigTimeSettings:
    """Return a connection's settings; raises ConfigurationInvalid with every wrong one named."""
    try:
        settings = BigTimeSettings.model_validate(dict(values))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}"
            for found in error.errors()
        )
        raise ConfigurationInvalid(f"settings of the BigTime connection: {wrong}") from None
    if not settings.is_usable_report:
        raise ConfigurationInvalid("time is to be read from a report, and none is named (report)")
    missing = [name for name in NEEDED_COLUMNS if name not in _columns(settings)]
    if missing:
        raise ConfigurationInvalid(f"the report's columns do not name {', '.join(missing)}")
    return settings


def _columns(settings: BigTimeSettings) -> Mapping[str, str]:
    return settings.report.columns if settings.report else CONNECTOR_REPORT
