"""A planned change as the entry that the system written to shall hold, in its own terms."""

from __future__ import annotations

from typing import Any

from hourbridge.common.ids import derive_id, derive_key
from hourbridge.common.messages.records import ExternalLink, ListEntry
from hourbridge.matching.entry import ACTIVE, LEDGER, NAME, Entry
from hourbridge.matching.state import Agreed, Change

NEW = "new"
"""Stands for the id of an entry that its system hasn't made yet."""

_LEDGER_PATHS = {
    "legal_name": "CompanyName",
    "given_name": "GivenName",
    "family_name": "FamilyName",
    "rate": "UnitPrice",
    "cost_rate": "CostRate",
    "due_days": "DueDays",
}
_OWN_FIELDS = frozenset({"email", "code"})
"""Fields that an entry has a place of its own for."""


def wanted_key(book: str, change: Change) -> str:
    """Return what identifies a wanted state: the same wish always has the same key."""
    values = sorted({**change.values, NAME: change.name or ""}.items())
    parts = [part for pair in values for part in pair]
    entry_id = change.entry.entry_id if change.entry else ""
    origin = "/".join(change.origin.key)
    key = (change.side, change.list_name, change.kind, entry_id, origin, change.parent_id or "")
    return derive_key(book, *key, *parts)


def request_id(book: str, wanted: str, attempt: int) -> str:
    """Return the id of a request; ``attempt`` counts how often the same was wanted and done."""
    return derive_id(book, "list_change", wanted, str(attempt))


def wanted_entry(change: Change, links: tuple[ExternalLink, ...] = ()) -> ListEntry:
    """Return the entry as the written side shall hold it; what is absent stays as it is.

    ``links`` tell a tracker which entry of the ledger this one stands for.
    """
    entry = change.entry
    entry_id = entry.entry_id if entry else NEW
    values = {name: value for name, value in change.values.items() if name not in _OWN_FIELDS}
    if change.side == LEDGER:
        values = {_LEDGER_PATHS.get(name, name): value for name, value in values.items()}
    known: dict[str, Any] = {
        "external_id": f"{change.list_name}:{entry_id}",
        "list_name": change.list_name,
        "entry_id": entry_id,
        "name": change.name or (entry.name if entry else ""),
        "parent_id": change.parent_id or (entry and (entry.parent_id or entry.owner_id)) or None,
        "type": change.type or (entry.type if entry else None),
        "email": change.values.get("email"),
        "code": change.values.get("code"),
        "is_active": _is_active(change),
        "edit_token": entry.edit_token if entry else None,
        "attributes": {**values, **change.attributes},
        "links": links,
    }
    return ListEntry.model_validate({k: v for k, v in known.items() if v is not None})


def _is_active(change: Change) -> bool:
    if change.kind in ("inactivate", "reactivate"):
        return change.kind == "reactivate"
    return change.entry.is_active if change.entry else True


def agreed_after(
    basis: dict[str, str], wanted: dict[str, str], held: Entry | None, side: str
) -> Agreed:
    """Return what is agreed once a change was carried out.

    ``basis`` is what the origin said, ``wanted`` what was to be written, ``held`` the entry as its
    system holds it now: systems cut, trim and complete what they are given, so their own word is
    the other half of the agreement.
    """
    agreed: Agreed = {}
    for name, said in basis.items():
        written = held.value(name) if held is not None else None
        if written is None:
            written = wanted.get(name, said)
        agreed[name] = (said, written) if side == LEDGER else (written, said)
    return agreed


def written_values(change: Change) -> dict[str, str]:
    """Return the fields of a change with the values that are to be written."""
    named = {NAME: change.name} if change.name is not None else {}
    active = {ACTIVE: "true" if _is_active(change) else "false"}
    return {**change.values, **named, **active}
