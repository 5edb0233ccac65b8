"""Tasks, labor codes, rates and picklists: from rows to records."""

from __future__ import annotations

from typing import Any

from hourbridge.common.ids import derive_key
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import TASK_PREFIX, links, rate_slots, task_id

_PRIORITIES = {
    frozenset({"staff", "task", "labor"}): 7,
    frozenset({"staff", "task"}): 6,
    frozenset({"labor", "task"}): 5,
    frozenset({"labor", "staff"}): 4,
    frozenset({"task"}): 3,
    frozenset({"staff"}): 2,
    frozenset({"labor"}): 1,
}
"""Which custom rate wins, by what it is keyed on; the base rate has none of them: 0."""


def task_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of a task."""
    found, parent = task_id(row), row.identifier("ParentSid")
    if found is None:
        row.refuse("TaskSid", "missing", "the row has no id")
    class_id, item = row.identifier("DefaultQBClass"), row.identifier("QBItemId")
    return {
        "external_id": found,
        "kind": "task",
        "name": _name(row, "TaskNm", "Name"),
        "code": row.text("TaskId"),
        "group": row.text("TaskGroup", "Group"),
        "parent_id": None if parent is None else f"{TASK_PREFIX}{parent}",
        "project_id": row.identifier("ProjectSid"),
        "service_item_type": None if item is None else "item",
        "service_item_id": item,
        "default_class_id": class_id,
        "non_billable": row.flag("NoCharge") or False,
        "is_active": not (row.flag("IsArchived") or row.flag("IsInactive")),
        "budget": _budget(row, settings),
        "links": links(settings.company, item=item, **{"class": class_id}),
    }


def labor_code_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of a labor code; one without an item (vacation, training) is fine."""
    item, class_id = row.identifier("QBItemId"), row.identifier("DefaultQBClass")
    return {
        "external_id": _id(row, "Sid", "Id", "SystemId"),
        "kind": "labor_code",
        "name": _name(row, "Nm", "Name"),
        "code": row.text("Code"),
        "group": row.text("GroupNm", "Group"),
        "service_item_type": "none" if item is None else "item",
        "service_item_id": item,
        "rate_slots": rate_slots(row),
        "default_class_id": class_id,
        "non_billable": row.flag("NoCharge") or False,
        "is_active": not row.flag("IsInactive"),
        "links": links(settings.company, item=item, **{"class": class_id}),
    }


def rate_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of a custom rate; its id is its scope where the row carries none."""
    staff, task = row.identifier("StaffSid"), task_id(row)
    labor = row.identifier("LaborCodeSid", "BudgCatId", "LaborCodeId")
    project = row.identifier("ProjectSid")
    amount = row.number("RateValue", "Rate")
    if amount is None and not row.reasons:
        row.refuse("RateValue", "missing", "the row states no rate")
    keys = {"staff": staff, "task": task, "labor": labor}
    named = frozenset(name for name, value in keys.items() if value is not None)
    scope = derive_key(*(each or "" for each in (project, staff, task, labor)), length=24)
    own = row.identifier("RateSid", "Sid")
    return {
        "external_id": own or scope,
        "external_id_kind": "stable" if own else "derived",
        "staff_id": staff,
        "task_id": task,
        "labor_code_id": labor,
        "project_id": project,
        "kind": "bill",
        "amount": amount,
        "currency": settings.base_currency,
        "priority": _PRIORITIES.get(named, 0),
        "origin": "override",
    }


def picklist_fields(row: Row, list_name: str, link_type: str | None) -> dict[str, Any]:
    """Return the fields of a picklist's value. Ids are text here, numbers elsewhere."""
    found = _id(row, "Id", "Sid")
    return {
        "external_id": None if found is None else f"{list_name}:{found}",
        "list_name": list_name,
        "name": _name(row, "Name", "Nm"),
        "group": row.text("Group", "GroupNm"),
        "is_active": not row.flag("IsInactive"),
        "external_link": _link(row, link_type),
    }


def _link(row: Row, link_type: str | None) -> dict[str, Any] | None:
    """Return a code's link: a tagged union, of an account or of an item."""
    for kind, field in (("account", "QBAccountId"), ("item", "QBItemId")):
        found = row.identifier(field)
        if found is not None:
            return {"target_system": "quickbooks", "type": kind, "id": found}
    stated = row.identifier("LinkId", "QBId")
    if stated is None or link_type is None:
        return None
    return {"target_system": "quickbooks", "type": link_type, "id": stated}


def _id(row: Row, *names: str) -> str | None:
    found = row.identifier(*names)
    if found is None:
        row.refuse(names[0], "missing", "the row has no id")
    return found


def _name(row: Row, *names: str) -> str | None:
    found = row.text(*names)
    if found is None:
        row.refuse(names[0], "missing", "the row has no name")
    return found


def _budget(row: Row, settings: BigTimeSettings) -> dict[str, Any] | None:
    amounts = {
        "hours": row.number("BudgetHours") or None,
        "fees": row.number("BudgetFees") or None,
        "expenses": row.number("BudgetExps") or None,
    }
    return {**amounts, "currency": settings.base_currency} if any(amounts.values()) else None
