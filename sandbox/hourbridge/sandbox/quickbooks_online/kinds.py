"""The entity kinds that the stand-in keeps, and which of their properties queries may filter."""

from __future__ import annotations

from dataclasses import dataclass

_ALWAYS = frozenset({"Id", "MetaData.CreateTime", "MetaData.LastUpdatedTime"})
_LIST = frozenset({"Name", "Active", "FullyQualifiedName"})
_SALES = frozenset({"CustomerRef", "DocNumber", "TxnDate", "SalesTermRef", "Balance", "TotalAmt"})


@dataclass(frozen=True)
class Kind:
    """One entity type of the service."""

    name: str
    filterable: frozenset[str]
    is_transaction: bool = False
    is_read_only: bool = False
    is_file: bool = False
    id_counter: str | None = None
    """Kinds with the same counter share one sequence of ids; None: a sequence of its own."""
    id_base: int = 0
    """Added to the counter: some lists have ids beyond 64 bits."""
    in_change_capture: bool = True
    """Whether the service's change data capture knows it."""

    @property
    def has_active(self) -> bool:
        """Whether entries are made inactive instead of deleted."""
        return "Active" in self.filterable

    @property
    def counter(self) -> str:
        """The sequence that ids come from: posting transactions share one."""
        own = "transaction" if self.is_transaction else self.name
        return self.id_counter or own

    @property
    def resource(self) -> str:
        """The entity's part of the path."""
        return self.name.lower()


_CUSTOMER = frozenset(
    {
        "DisplayName",
        "GivenName",
        "MiddleName",
        "FamilyName",
        "PrimaryEmailAddr",
        "Active",
        "CompanyName",
        "Balance",
        "PrintOnCheckName",
        "FullyQualifiedName",
        "ParentRef",
        "Job",
    }
)

_PERSON = _CUSTOMER - {"ParentRef", "Job", "FullyQualifiedName", "Balance"}
_PURCHASE = frozenset({"VendorRef", "DocNumber", "TxnDate", "APAccountRef", "TotalAmt"})

INVOICE = Kind("Invoice", _ALWAYS | _SALES | {"DueDate", "ProjectRef"}, is_transaction=True)
CREDIT_MEMO = Kind("CreditMemo", _ALWAYS | _SALES | {"ProjectRef"}, is_transaction=True)
PAYMENT = Kind(
    "Payment",
    _ALWAYS | {"TotalAmt", "CustomerRef", "TxnDate", "PaymentRefNum"},
    is_transaction=True,
)
BILL = Kind("Bill", _ALWAYS | _PURCHASE | {"DueDate", "Balance"}, is_transaction=True)
VENDOR_CREDIT = Kind("VendorCredit", _ALWAYS | _PURCHASE, is_transaction=True)
BILL_PAYMENT = Kind(
    "BillPayment", _ALWAYS | {"VendorRef", "DocNumber", "TxnDate", "TotalAmt"}, is_transaction=True
)
PURCHASE = Kind(
    "Purchase", _ALWAYS | {"DocNumber", "TxnDate", "TotalAmt", "PaymentType"}, is_transaction=True
)
JOURNAL_ENTRY = Kind("JournalEntry", _ALWAYS | {"DocNumber", "TxnDate"}, is_transaction=True)
TIME_ACTIVITY = Kind(
    "TimeActivity",
    _ALWAYS | {"TxnDate", "ProjectRef", "BillableStatus"},
    is_transaction=True,
    id_counter="TimeActivity",
    in_change_capture=False,
)
CUSTOMER = Kind("Customer", _ALWAYS | _CUSTOMER)
VENDOR = Kind("Vendor", _ALWAYS | _PERSON | {"Balance"})
EMPLOYEE = Kind("Employee", _ALWAYS | _PERSON)
ITEM = Kind("Item", _ALWAYS | _LIST | {"Type", "Taxable", "SubItem"})
ACCOUNT = Kind("Account", _ALWAYS | _LIST | {"AccountType", "AccountSubType", "Classification"})
TERM = Kind("Term", _ALWAYS | {"Name", "Active"})
CLASS = Kind("Class", _ALWAYS | _LIST, id_base=5_000_000_000_000_000_000)
DEPARTMENT = Kind("Department", _ALWAYS | _LIST)
PAYMENT_METHOD = Kind("PaymentMethod", _ALWAYS | {"Name", "Active"})
COMPANY_CURRENCY = Kind("CompanyCurrency", _ALWAYS | {"Code", "Name", "Active"})
TAX_CODE = Kind("TaxCode", _ALWAYS | {"Name", "Active"}, is_read_only=True, in_change_capture=False)
TAX_RATE = Kind(
    "TaxRate", _ALWAYS | {"Name", "Active", "AgencyRef"}, is_read_only=True, in_change_capture=False
)
TAX_AGENCY = Kind("TaxAgency", _ALWAYS | {"DisplayName"}, in_change_capture=False)
REIMBURSE_CHARGE = Kind(
    "ReimburseCharge",
    _ALWAYS | {"CustomerRef", "HasBeenInvoiced"},
    is_read_only=True,
    id_counter="transaction",
)
ATTACHABLE = Kind(
    "Attachable",
    _ALWAYS
    | {"FileName", "Note", "Category", "ContentType", "Size"}
    | {"AttachableRef.EntityRef.Type", "AttachableRef.EntityRef.value"},
    is_file=True,
    id_base=200_900_000_000_000_000_000,
)

SALES = (INVOICE, CREDIT_MEMO)
PURCHASES = (BILL, VENDOR_CREDIT, PURCHASE)
PEOPLE = (CUSTOMER, VENDOR, EMPLOYEE)
"""Share one space of names."""
KINDS = (
    *SALES,
    PAYMENT,
    *PURCHASES,
    BILL_PAYMENT,
    JOURNAL_ENTRY,
    TIME_ACTIVITY,
    *PEOPLE,
    ITEM,
    ACCOUNT,
    TERM,
    CLASS,
    DEPARTMENT,
    PAYMENT_METHOD,
    COMPANY_CURRENCY,
    TAX_CODE,
    TAX_RATE,
    TAX_AGENCY,
    REIMBURSE_CHARGE,
    ATTACHABLE,
)
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
BY_NAME = {kind.name: kind for kind in KINDS}
