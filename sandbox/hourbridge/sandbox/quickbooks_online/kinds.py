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

INVOICE = Kind("Invoice", _ALWAYS | _SALES | {"DueDate", "ProjectRef"}, is_transaction=True)
CREDIT_MEMO = Kind("CreditMemo", _ALWAYS | _SALES | {"ProjectRef"}, is_transaction=True)
PAYMENT = Kind("Payment", _ALWAYS | {"TotalAmt", "CustomerRef", "TxnDate"}, is_transaction=True)
CUSTOMER = Kind("Customer", _ALWAYS | _CUSTOMER)
ITEM = Kind("Item", _ALWAYS | _LIST | {"Type", "Taxable", "SubItem"})
ACCOUNT = Kind("Account", _ALWAYS | _LIST | {"AccountType", "AccountSubType", "Classification"})
TERM = Kind("Term", _ALWAYS | {"Name", "Active"})
CLASS = Kind("Class", _ALWAYS | _LIST)
TAX_CODE = Kind("TaxCode", _ALWAYS | {"Name", "Active"}, is_read_only=True)

KINDS = (INVOICE, CREDIT_MEMO, PAYMENT, CUSTOMER, ITEM, ACCOUNT, TERM, CLASS, TAX_CODE)
BY_RESOURCE = {kind.resource: kind for kind in KINDS}
