"""The records of the lists: which fields they have, of which kind, and in which view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from hourbridge.sandbox.bigtime.refusals import invalid
from hourbridge.sandbox.bigtime.values import Kind, Row, lowered, read

_EMPTY: dict[str, Any] = {"number": Decimal(0), "flag": False, "id": 0}


@dataclass(frozen=True)
class Shape:
    """The fields of a kind of record; ``basic`` ones are in every view, the rest in Detailed."""

    what: str
    """The record's name in messages."""
    id_field: str
    basic: Mapping[str, Kind]
    detailed: Mapping[str, Kind]
    required: tuple[str, ...] = ()

    @property
    def fields(self) -> dict[str, Kind]:
        """All stored fields but the id."""
        return {**self.basic, **self.detailed}

    def changes(self, body: Mapping[str, Any]) -> Row:
        """Return the known fields in a body; unknown and read-only ones are ignored."""
        given = lowered(body)
        return {
            name: read(given[name.lower()], kind, name)
            for name, kind in self.fields.items()
            if name.lower() in given
        }

    def new(self, identity: int, changes: Row) -> Row:
        """Return a record with the given values and empty others."""
        empty = {name: _EMPTY.get(kind) for name, kind in self.fields.items()}
        return self.checked({self.id_field: identity, **empty, **changes})

    def checked(self, record: Row) -> Row:
        """Return the record; 400 when a required field is empty."""
        missing = [name for name in self.required if not record.get(name)]
        if missing:
            raise invalid(f"{', '.join(missing)} of a {self.what} must not be empty.")
        return record

    def view(self, record: Row, *, detailed: bool) -> Row:
        """Return what a caller sees."""
        names = [self.id_field, *self.basic, *(self.detailed if detailed else ())]
        return {name: record.get(name) for name in names}


def _fields(*texts: str) -> dict[str, Kind]:
    """Return fields written as ``Name`` (text) or ``Name:kind``."""
    found: dict[str, Kind] = {}
    for word in " ".join(texts).split():
        name, _, kind = word.partition(":")
        found[name] = _KINDS[kind or "text"]
    return found


_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_RATES = "Rate1:number Rate2:number Rate3:number Rate4:number Rate5:number"
_COST_CENTERS = "CostCenterA CostCenterB CostCenterC"

CLIENT = Shape(
    "client",
    "SystemId",
    _fields(
        "Nm LegalNm ClientId Address City State Zip Country MainPH MainFX Notes IsInactive:flag"
    ),
    _fields(
        "BillNm BillAddress BillCity BillState BillZip BillCountry",
        "QBCustomerId QBClassId QBPOSentBy Status:id LeadSourceId:id IndustryId:id",
        "PrimaryContactId:id BillingContactId:id ContactList:rows CurrencyCode",
        _COST_CENTERS,
    ),
    ("Nm",),
)
PROJECT = Shape(
    "project",
    "SystemId",
    _fields(
        "Nm ProjectCode TypeId:id StartDt:day EndDt:day IsInactive:flag StatusProd:id",
        "StatusBill:id Notes ClientId:id BudgetHours:number BudgetFees:number",
    ),
    _fields(
        "IsAllStaff:flag IsNoCharge:flag InvoiceType:id ContractNotes InvoiceNotes",
        "BillingRate:id BasicRate:number QBClassDefault QBCustomerId QBCustomerId_nm",
        "ContactList:rows AddressList:rows DefaultInvoiceTypeSid:id DefaultInvoicePdfRptSid:id",
        "DefaultInvoiceTermSid:id DefaultLaborCode:id",
        _COST_CENTERS,
    ),
    ("Nm", "ClientId"),
)
TASK = Shape(
    "task",
    "TaskSid",
    _fields(
        "ProjectSid:id TaskNm TaskGroup TaskType:id CurrentStatus:id TaskId Priority:id Notes",
        "StartDt:day DueDt:day FeeOrExpense IsArchived:flag ParentSid:id NoCharge:flag",
    ),
    _fields(
        "AssignmentList:rows BudgetHours:number BudgetFees:number BudgetExps:number",
        "PerComp:number DefaultQBClass IsSeriesMaster:flag MasterTaskSid:id QBItemId",
    ),
    ("TaskNm", "ProjectSid"),
)
STAFF = Shape(
    "staff member",
    "StaffSID",
    _fields(
        "FName SName Title ManagerID:id EMail Phone_Cell Phone_Wk Phone_Hm Notes",
        "IsInactive:flag DefaultRole Capacity:number Address",
    ),
    _fields(
        "Status:id Start_dt:day Term_dt:day UsePayrollItem:flag CostFactor:number",
        "HourRateType:id StaffOrgId:id StaffType:id HomeTimezone PostTimeAsBilled:flag",
        "QBEmployeeId QBVendorId QBClassDefaultId IAEmployeeId IAVendorId IAClassDefaultId",
        "DefaultLaborCode:id",
        _COST_CENTERS,
        _RATES,
    ),
    ("SName",),
)
LABOR_CODE = Shape(
    "labor code",
    "Sid",
    _fields("Nm Code GroupNm NoCharge:flag IsInactive:flag"),
    _fields("QBItemId DefaultQBClass Notes", _RATES),
    ("Nm",),
)
EXPENSE_CODE = Shape(
    "expense code",
    "Sid",
    _fields("Nm Code GroupNm IsInactive:flag"),
    _fields(
        "IsUnit:flag UOM UnitRate:number UnitPrice:number Markup:number IsTaxable:flag",
        "IsServiceFee:flag QBAccountId QBItemId",
    ),
    ("Nm",),
)
CUSTOM_RATE = Shape(
    "rate",
    "RateSid",
    _fields("ProjectSid:id StaffSid:id TaskSid:id LaborCodeSid:id RateValue:number"),
    {},
    ("ProjectSid",),
)
COST_RATE = Shape("cost rate", "RateSid", CUSTOM_RATE.basic, {}, ("ProjectSid",))
EXPENSE_RATE = Shape(
    "expense rate",
    "RateSid",
    _fields("ProjectSid:id CatSID:id UnitRate:number UnitPrice:number Markup:number"),
    {},
    ("ProjectSid", "CatSID"),
)
CHOICE = Shape(
    "list entry",
    "Id",
    _fields("Name Group IsInactive:flag"),
    _fields("Rate:number Days:id"),
    ("Name",),
)
