"""Which entries of a ledger's lists can stand for an entry of a tracker's list."""

from __future__ import annotations

from hourbridge.common.book.lists import TARGETS, LedgerList, ListName
from hourbridge.matching.entry import ACTIVE, NAME, Entry

SHARED_NAMES = frozenset({"customer", "vendor", "employee"})
"""Lists of the ledger whose names are one: no two of their entries may have the same."""

SHAREABLE = frozenset({"labor_code", "task", "expense_code", "class", "term", "tax_rate"})
"""Lists of a tracker of which several entries may stand for the same one of the ledger."""

_SERVICE = frozenset({"service"})
_NEVER = frozenset({"category", "group", "subtotal", "payment", "discount"})
_CHARGES = frozenset({"noninventory", "othercharge", "other charge", "inventory"})
_COSTS = frozenset({"expense", "other expense", "cost of goods sold"})

_FIELDS: dict[ListName, tuple[str, ...]] = {
    "client": (NAME, "email", "legal_name", "code"),
    "project": (NAME, "code"),
    "staff": (NAME, "email", "given_name", "family_name", "cost_rate"),
    "vendor": (NAME, "email", "legal_name"),
    "labor_code": (NAME, "rate", "code"),
    "task": (NAME, "code"),
    "expense_code": (NAME, "code"),
    "class": (NAME,),
    "term": (NAME, "due_days"),
    "tax_rate": (NAME, "percent"),
}


def fields_of(list_name: ListName) -> tuple[str, ...]:
    """Return the fields that are kept in step; whether an entry is active comes last."""
    return (*_FIELDS[list_name], ACTIVE)


def targets_of(list_name: ListName) -> tuple[LedgerList, ...]:
    """Return the ledger's lists that a tracker's list corresponds to."""
    return TARGETS[list_name]


def fits(list_name: ListName, entry: Entry) -> bool:
    """Return whether a ledger's entry can stand for one of a tracker's list at all."""
    if entry.is_header:
        return False
    kind = (entry.type or "").casefold()
    if list_name == "client":
        return entry.parent_id is None
    if list_name == "project":
        return entry.parent_id is not None
    if list_name in ("labor_code", "task"):
        return kind in _SERVICE or not kind
    if list_name == "expense_code":
        return (kind in _COSTS or not kind) if entry.list_name == "account" else kind not in _NEVER
    return True


def comes_across(list_name: ListName, entry: Entry, *, has_children: bool) -> bool:
    """Return whether a ledger's entry makes one in the tracker: service items make labor codes,
    other ones expense codes; of jobs, the lowest level makes projects."""
    if not fits(list_name, entry):
        return False
    if list_name == "project":
        return not has_children
    if list_name == "expense_code" and entry.list_name == "item":
        return (entry.type or "").casefold() in _CHARGES
    return True
