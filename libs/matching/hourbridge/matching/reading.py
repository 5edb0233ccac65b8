"""From the records of trackers and ledgers to entries."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from hourbridge.common.messages.records import (
    Client,
    ExternalLink,
    ListEntry,
    PicklistValue,
    Project,
    Record,
    StaffMember,
    Vendor,
    WorkItem,
)
from hourbridge.common.money import decimal_text
from hourbridge.matching.entry import Entry, StatedLink

RecordT = TypeVar("RecordT", bound=Record)

_PICKLISTS = {
    "expensecodes": "expense_code",
    "expensecode": "expense_code",
    "laborcodes": "labor_code",
    "laborcode": "labor_code",
    "classes": "class",
    "class": "class",
    "qbclasses": "class",
    "terms": "term",
    "term": "term",
    "invoiceterms": "term",
    "taxrates": "tax_rate",
    "taxrate": "tax_rate",
}
_LINK_TYPES = {
    "customer": "customer",
    "job": "customer",
    "project": "customer",
    "employee": "employee",
    "vendor": "vendor",
    "item": "item",
    "account": "account",
    "class": "class",
    "term": "term",
    "taxcode": "tax_code",
}
_LEDGER_VALUES = {
    "CompanyName": "legal_name",
    "GivenName": "given_name",
    "FamilyName": "family_name",
    "UnitPrice": "rate",
    "CostRate": "cost_rate",
    "DueDays": "due_days",
    "RateValue": "percent",
    "PrimaryEmailAddr.Address": "email",
}
"""Fields of ledger lists, by the ledger's path, under the names that both sides share."""
_AMOUNTS = frozenset({"rate", "cost_rate", "percent", "due_days"})


def entry_of(record: Record, record_id: str, side: str) -> Entry | None:
    """Return the entry that a record states, None where it states none.

    ``side`` is the source's name, or LEDGER for the lists of the book's ledger.
    """
    for model, read in _READERS.items():
        if isinstance(record, model):
            return read(record, record_id, side)
    return None


def _common(record: Record, record_id: str, side: str) -> dict[str, Any]:
    return {
        "side": side,
        "entry_id": record.external_id,
        "record_id": record_id,
        "is_gone": record.deleted is not None,
        "updated_at": record.source_updated_at,
        "stated_links": _stated(record.links),
    }


def _client(client: Client, record_id: str, side: str) -> Entry:
    email = next((c.email for c in client.contacts if c.role == "billing" and c.email), None)
    email = email or next((c.email for c in client.contacts if c.email), None)
    return Entry(
        **_common(client, record_id, side),
        list_name="client",
        name=client.name,
        parent_id=client.parent_id,
        code=client.code,
        currency=client.currency,
        is_active=client.is_active,
        values=_values(email=email, legal_name=client.legal_name, code=client.code),
        attributes=_values(terms_id=client.terms_id, tax_code_id=client.tax_code_id),
    )


def _project(project: Project, record_id: str, side: str) -> Entry:
    return Entry(
        **_common(project, record_id, side),
        list_name="project",
        name=project.name,
        parent_id=project.parent_id,
        owner_id=project.client_id,
        code=project.code,
        currency=project.currency,
        is_active=project.is_active,
        is_header=not project.is_leaf,
        is_synthetic=project.is_synthetic,
        is_blocked=project.blocked,
        values=_values(code=project.code),
        attributes=_values(client_name=project.client_name),
    )


def _staff(person: StaffMember, record_id: str, side: str) -> Entry:
    common = _common(person, record_id, side)
    own = [("employee", person.employee_link), ("vendor", person.vendor_link)]
    links = tuple(StatedLink(kind, id) for kind, id in own if id)
    cost = person.cost_rate
    return Entry(
        **{**common, "stated_links": tuple(dict.fromkeys((*links, *common["stated_links"])))},
        list_name="staff",
        name=person.display_name,
        is_active=person.is_active,
        values=_values(
            email=person.email,
            given_name=person.given_name,
            family_name=person.family_name,
            cost_rate=_amount(cost.amount) if cost is not None and cost.unit == "hour" else None,
        ),
    )


def _vendor(vendor: Vendor, record_id: str, side: str) -> Entry:
    return Entry(
        **_common(vendor, record_id, side),
        list_name="vendor",
        name=vendor.name,
        currency=vendor.currency,
        is_active=vendor.is_active,
    )


def _work_item(item: WorkItem, record_id: str, side: str) -> Entry:
    common = _common(item, record_id, side)
    own = (StatedLink("item", item.service_item_id),) if item.service_item_id else ()
    rate = next((rate for rate in item.rate_slots if rate is not None), None)
    return Entry(
        **{**common, "stated_links": tuple(dict.fromkeys((*own, *common["stated_links"])))},
        list_name="labor_code" if item.kind == "labor_code" else "task",
        name=item.name,
        parent_id=item.parent_id,
        owner_id=item.project_id,
        code=item.code,
        is_active=item.is_active,
        values=_values(code=item.code, rate=_amount(rate)),
    )


def _picklist(value: PicklistValue, record_id: str, side: str) -> Entry:
    common = _common(value, record_id, side)
    own = _stated((value.external_link,)) if value.external_link else ()
    list_name = _PICKLISTS.get(re.sub(r"[^a-z]", "", value.list_name.casefold()))
    entry_id = value.external_id
    if list_name is not None:
        entry_id = entry_id.removeprefix(f"{value.list_name}:").removeprefix(f"{list_name}:")
    return Entry(
        **{
            **common,
            "entry_id": entry_id,
            "stated_links": tuple(dict.fromkeys((*own, *common["stated_links"]))),
        },
        list_name=list_name or value.list_name,
        name=value.name,
        is_active=value.is_active,
        attributes=_values(group=value.group),
    )


def _list_entry(entry: ListEntry, record_id: str, side: str) -> Entry:
    shared = {_LEDGER_VALUES[p]: v for p, v in entry.attributes.items() if p in _LEDGER_VALUES}
    shared |= {name: entry.attributes[name] for name in _OWN_NAMES if name in entry.attributes}
    exact = {name: _same_amount(v) if name in _AMOUNTS else v for name, v in shared.items()}
    is_flat = entry.list_name not in ("customer", "item", "account", "class", "department")
    return Entry(
        **{
            **_common(entry, record_id, side),
            "entry_id": entry.entry_id,
            "updated_at": entry.updated_at or entry.source_updated_at,
        },
        list_name=entry.list_name,
        name=entry.name,
        full_name=entry.full_name,
        parent_id=None if is_flat else entry.parent_id,
        owner_id=entry.parent_id if is_flat else None,
        type=entry.type,
        code=entry.code,
        currency=entry.currency,
        is_active=entry.is_active,
        is_header=entry.is_header,
        is_project=entry.is_project,
        is_synthetic=entry.attributes.get("is_synthetic") == "true",
        merged_into=entry.merged_into,
        edit_token=entry.edit_token,
        values=_values(**{"email": entry.email, "code": entry.code, **exact}),
        attributes=dict(entry.attributes),
    )


_OWN_NAMES = ("legal_name", "given_name", "family_name", "rate", "cost_rate", "due_days", "percent")
_Reader = Callable[[Any, str, str], Entry]
_READERS: dict[type[Record], _Reader] = {
    ListEntry: _list_entry,
    Client: _client,
    Project: _project,
    StaffMember: _staff,
    Vendor: _vendor,
    WorkItem: _work_item,
    PicklistValue: _picklist,
}


def _stated(links: tuple[ExternalLink, ...]) -> tuple[StatedLink, ...]:
    found = []
    for link in links:
        kind = re.sub(r"^(qbo?|quickbooks)", "", re.sub(r"[^a-z]", "", link.type.casefold()))
        ledger_list = _LINK_TYPES.get(kind.removesuffix("id"))
        if ledger_list is not None and link.id not in ("0", ""):
            found.append(StatedLink(ledger_list, link.id))
    return tuple(dict.fromkeys(found))


def _values(**given: str | None) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value.normalize())


def _same_amount(value: str) -> str:
    """Return an amount's text such that equal amounts are equal texts; what is none, as it is."""
    try:
        return decimal_text(Decimal(value).normalize())
    except ArithmeticError:
        return value
