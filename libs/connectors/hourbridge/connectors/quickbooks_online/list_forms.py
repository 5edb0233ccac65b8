"""The lists that can be written: their entities, and which of their properties are writable.

Only ``Customer`` documents sparse updates. Elsewhere a writable property that an update omits is
cleared, so an update states every writable property that the entry has: the allow-lists below
(section 3 of the service's entity pages). What is read-only, or fixed once an entry exists, is
never echoed: some of it breaks an update.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_PERSON = frozenset(
    {
        "DisplayName",
        "Title",
        "GivenName",
        "MiddleName",
        "FamilyName",
        "Suffix",
        "PrintOnCheckName",
        "PrimaryEmailAddr",
        "PrimaryPhone",
        "AlternatePhone",
        "Mobile",
        "Fax",
        "WebAddr",
        "Active",
    }
)
_FLAGS = frozenset(
    {"Taxable", "BillWithParent", "Vendor1099", "BillableTime", "SalesTaxIncluded", "SubItem"}
)
_WHOLE = frozenset({"DueDays", "DiscountDays", "DayOfMonthDue", "DueNextMonthDays"})
_DECIMALS = frozenset({"UnitPrice", "PurchaseCost", "BillRate", "CostRate", "DiscountPercent"})
PEOPLE = ("customer", "vendor", "employee")
"""Share one space of names, inactive entries included."""


@dataclass(frozen=True)
class ListForm:
    """How entries of one list stand in the service."""

    list_name: str
    entity: str
    writable: frozenset[str]
    name_property: str = "Name"
    search_property: str = "Name"
    """What a query may filter by; of classes and departments only the full name."""
    name_characters_max: int = 100
    name_forbids: str = ":\t\n\r"
    properties: Mapping[str, str] = field(default_factory=dict)
    """Fields of an entry (code, type, email, parent_id) to the paths that hold them."""
    required: Mapping[str, str] = field(default_factory=dict)
    """Paths without which nothing is created, and the reason to tell."""
    types: frozenset[str] | None = None
    """The values of ``type`` that can be written; None: whatever the service takes."""
    has_sparse: bool = False
    secret: str | None = None
    """A property that is shown masked: it can be kept, never sent."""
    marker: str | None = None
    """A text property that people don't bill by, in which our marker stands."""
    can_change: bool = True
    """Entries can be updated, inactivated and reactivated."""


def _tree(entity: str, list_name: str, *, flag: str) -> ListForm:
    """Return the form of a list of names that is a tree and has nothing else."""
    return ListForm(
        list_name,
        entity,
        frozenset({"Name", "ParentRef", flag, "Active"}),
        search_property="FullyQualifiedName",
        properties={"parent_id": "ParentRef.value"},
    )


_FORMS = (
    ListForm(
        "customer",
        "Customer",
        _PERSON
        | {
            "CompanyName",
            "Notes",
            "ResaleNum",
            "BillAddr",
            "ShipAddr",
            "Job",
            "ParentRef",
            "BillWithParent",
            "Taxable",
            "DefaultTaxCodeRef",
            "SalesTermRef",
            "PaymentMethodRef",
            "PreferredDeliveryMethod",
            "CurrencyRef",
        },
        name_property="DisplayName",
        search_property="DisplayName",
        name_characters_max=500,
        properties={"email": "PrimaryEmailAddr.Address", "parent_id": "ParentRef.value"},
        has_sparse=True,
        marker="Notes",
    ),
    ListForm(
        "vendor",
        "Vendor",
        _PERSON
        | {
            "CompanyName",
            "AcctNum",
            "Vendor1099",
            "TermRef",
            "BillRate",
            "CostRate",
            "CurrencyRef",
            "BillAddr",
            "OtherContactInfo",
        },
        name_property="DisplayName",
        search_property="DisplayName",
        name_characters_max=500,
        properties={"email": "PrimaryEmailAddr.Address", "code": "AcctNum"},
        secret="TaxIdentifier",
    ),
    ListForm(
        "employee",
        "Employee",
        (_PERSON - {"AlternatePhone", "Fax", "WebAddr"})
        | {
            "PrimaryAddr",
            "EmployeeNumber",
            "HiredDate",
            "ReleasedDate",
            "BirthDate",
            "Gender",
            "BillableTime",
            "BillRate",
            "CostRate",
            "Organization",
        },
        name_property="DisplayName",
        search_property="DisplayName",
        name_characters_max=500,
        properties={"email": "PrimaryEmailAddr.Address", "code": "EmployeeNumber"},
        secret="SSN",
    ),
    ListForm(
        "item",
        "Item",
        frozenset(
            {
                "Name",
                "Type",
                "Description",
                "UnitPrice",
                "PurchaseDesc",
                "PurchaseCost",
                "Sku",
                "Taxable",
                "SalesTaxCodeRef",
                "PurchaseTaxCodeRef",
                "SalesTaxIncluded",
                "PurchaseTaxIncluded",
                "ClassRef",
                "PrefVendorRef",
                "SubItem",
                "ParentRef",
                "IncomeAccountRef",
                "ExpenseAccountRef",
                "Active",
            }
        ),
        name_forbids=':\t\n\r"',
        properties={"type": "Type", "code": "Sku", "parent_id": "ParentRef.value"},
        required={"Type": "item_type_missing", "IncomeAccountRef.value": "income_account_missing"},
        types=frozenset({"Service", "NonInventory"}),
    ),
    ListForm(
        "account",
        "Account",
        frozenset(
            {
                "Name",
                "AcctNum",
                "Description",
                "ParentRef",
                "SubAccount",
                "TaxCodeRef",
                "AccountType",
                "AccountSubType",
                "CurrencyRef",
                "Active",
            }
        ),
        name_forbids=':"\t\n\r',
        properties={"type": "AccountType", "code": "AcctNum", "parent_id": "ParentRef.value"},
        required={"AccountType": "account_type_missing"},
    ),
    _tree("Class", "class", flag="SubClass"),
    _tree("Department", "department", flag="SubDepartment"),
    ListForm(
        "term",
        "Term",
        frozenset(
            {
                "Name",
                "Type",
                "DueDays",
                "DayOfMonthDue",
                "DueNextMonthDays",
                "DiscountDayOfMonth",
                "DiscountPercent",
                "DiscountDays",
                "Active",
            }
        ),
        name_characters_max=31,
        name_forbids="\t\n\r",
        properties={"type": "Type"},
    ),
    ListForm(
        "payment_method",
        "PaymentMethod",
        frozenset({"Name", "Type", "Active"}),
        name_characters_max=31,
        name_forbids="\t\n\r",
        properties={"type": "Type"},
    ),
    ListForm(
        "tax_code",
        "TaxCode",
        frozenset({"Name", "TaxRateName", "TaxApplicableOn"}),
        name_forbids="\t\n\r",
        required={"RateValue": "rate_missing", "TaxAgencyId": "tax_agency_missing"},
        can_change=False,
    ),
)
FORMS: Mapping[str, ListForm] = {form.list_name: form for form in _FORMS}
"""By the name of the list."""


def kind_of_value(name: str) -> str:
    """Return how the service takes a top-level property: text, flag, whole or decimal."""
    if name in _FLAGS:
        return "flag"
    if name in _WHOLE:
        return "whole"
    return "decimal" if name in _DECIMALS else "text"
