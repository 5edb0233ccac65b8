"""Rows of the ledger's lists as list entries; the same form that writing a list gives back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hourbridge.common.messages.records import Deletion, ListEntry
from hourbridge.connectors.quickbooks_online.inbound.asking import Row, instant_of
from hourbridge.connectors.quickbooks_online.inbound.telling import Told, leaves, state, value_of
from hourbridge.connectors.quickbooks_online.list_forms import FORMS
from hourbridge.connectors.quickbooks_online.list_payload import entry_of

ENTITIES = {
    "customer": "Customer",
    "vendor": "Vendor",
    "employee": "Employee",
    "account": "Account",
    "item": "Item",
    "class": "Class",
    "term": "Term",
    "department": "Department",
    "payment_method": "PaymentMethod",
    "currency": "CompanyCurrency",
    "tax_code": "TaxCode",
    "tax_rate": "TaxRate",
}
"""Each list's entity."""
LISTS = {entity: name for name, entity in ENTITIES.items()}
TREES = frozenset({"customer", "item", "account", "class", "department"})
"""Lists whose entries carry the names of their parents."""
_READ_ONLY = {
    "account": ("Classification", "AccountSubType"),
    "tax_code": ("Taxable", "TaxGroup", "Description"),
    "tax_rate": ("RateValue", "AgencyRef.value", "Description", "SpecialTaxType", "DisplayType"),
}
"""Values that can't be written and yet matter. No balances: they change without a new version."""
_RATE_LISTS = ("SalesTaxRateList", "PurchaseTaxRateList")


def tell_entries(entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None) -> None:
    """State the rows of a list, inactive ones too."""
    list_name = LISTS[entity]
    for row in rows:
        told.statements.append(
            state(
                entity,
                row,
                partial(to_entry, list_name, row),
                external_id=f"{list_name}:{row.get('Id')}",
                least=least,
            )
        )


def tell_gone(entity: str, rows: Sequence[Row], told: Told) -> None:
    """State that entries are gone: all that is known is which ones, and when."""
    list_name = LISTS[entity]
    for row in rows:
        told.statements.append(
            state(
                entity,
                row,
                partial(gone_entry, list_name, row),
                external_id=f"{list_name}:{row.get('Id')}",
                is_last=True,
            )
        )


def to_entry(list_name: str, row: Row) -> ListEntry:
    """Return an entry; its name stands as in the ledger, with `` (deleted)`` where that is."""
    form = FORMS.get(list_name)
    entry = entry_of(form, row) if form is not None else _plain(list_name, row)
    attributes = entry.attributes | _more(list_name, row)
    changes = {"attributes": attributes, "source_updated_at": entry.updated_at}
    return entry.model_copy(update=changes)


def gone_entry(list_name: str, row: Row) -> ListEntry:
    """Return the entry of a tombstone."""
    identity = str(row["Id"])
    at = instant_of(row)
    return ListEntry(
        external_id=f"{list_name}:{identity}",
        list_name=list_name,
        entry_id=identity,
        name=f"{list_name} {identity}",
        is_active=False,
        updated_at=at,
        source_updated_at=at,
        deleted=Deletion(at=at, how="feed"),
    )


def _plain(list_name: str, row: Row) -> ListEntry:
    identity, updated = str(row["Id"]), instant_of(row)
    return ListEntry(
        external_id=f"{list_name}:{identity}",
        list_name=list_name,
        entry_id=identity,
        name=str(row["Name"]),
        type=row.get("Type"),
        code=row.get("Code"),
        currency=row.get("Code") if list_name == "currency" else None,
        is_active=row.get("Active", True) is not False,
        edit_token=row.get("SyncToken"),
        updated_at=updated,
    )


def _more(list_name: str, row: Row) -> dict[str, str]:
    known = leaves(dict(row))
    found = {path: known[path] for path in _READ_ONLY.get(list_name, ()) if path in known}
    for name in _RATE_LISTS if list_name == "tax_code" else ():
        details = row.get(name, {}).get("TaxRateDetail", [])
        rates = [rate for each in details if (rate := value_of(each, "TaxRateRef"))]
        if rates:
            found[f"{name}.TaxRateRef"] = ",".join(rates)
    return found
