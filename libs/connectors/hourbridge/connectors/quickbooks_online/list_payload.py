"""From an entry of a list to the service's JSON and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.records import ListEntry
from hourbridge.connectors.list_writer import ListWrite
from hourbridge.connectors.quickbooks_online.list_forms import ListForm, kind_of_value
from hourbridge.connectors.quickbooks_online.marker import (
    entry_key,
    entry_note,
    without_entry_note,
)

Row = Mapping[str, Any]
Body = dict[str, Any]
DELETED_SUFFIX = " (deleted)"
"""What the service adds to the name of an entry that is made inactive."""
NOTE_CHARACTERS_MAX = 2000
_CHECK_NAME = "PrintOnCheckName"
_FIXED = frozenset({"CurrencyRef"})
"""Stated when an entry is created, never again."""


def body_of(form: ListForm, wanted: ListEntry, *, is_multi_currency: bool) -> Body:
    """Return what the entry states of its writable properties; what is unset isn't in it.

    Raises LedgerRejected for a name or value that the service can't take.
    """
    body: Body = {}
    for path, text in wanted.attributes.items():
        _set(body, form, path, text)
    for name, path in form.properties.items():
        value = getattr(wanted, name)
        if value is not None:
            _set(body, form, path, value)
    body[form.name_property] = checked_name(form, wanted.name)
    if wanted.currency is not None and is_multi_currency and "CurrencyRef" in form.writable:
        # A company with one currency refuses to be told which.
        body["CurrencyRef"] = {"value": wanted.currency}
    _say_whose_part_it_is(form, body)
    return body


def for_create(form: ListForm, write: ListWrite, stated: Body) -> Body:
    """Return the body of a create: what is stated, the marker, and what the service insists on."""
    body = {name: value for name, value in stated.items() if name in form.writable}
    if form.marker is not None:
        marked = entry_note(write.operation_key, body.get(form.marker))
        body[form.marker] = marked[:NOTE_CHARACTERS_MAX]
    if form.list_name == "employee" and not {"GivenName", "FamilyName"} & set(body):
        body |= _name_parts(str(body["DisplayName"]))
    return body


def for_update(form: ListForm, current: Row, stated: Body) -> Body:
    """Return the body of an update that states ``stated`` and changes nothing else.

    Where a sparse update isn't documented the whole entry is stated, and one that holds a masked
    secret is marked as sparse besides: the secret can't be sent, and stays where that is honoured.
    """
    token = {"Id": current["Id"], "SyncToken": current["SyncToken"]}
    ours = {name: value for name, value in stated.items() if name not in _FIXED}
    if form.marker in ours:
        ours[form.marker] = _keeping_marker(current.get(form.marker), ours[form.marker])
    if form.has_sparse:
        return {**_over(current, ours), **token, "sparse": True}
    keeps = form.writable - _FIXED
    kept = {name: current[name] for name in sorted(keeps) if name in current}
    if current.get(_CHECK_NAME) == current.get(form.name_property):
        kept.pop(_CHECK_NAME, None)  # the service's own default: it follows a new name
    is_secretive = form.secret is not None and form.secret in current
    sparse = {"sparse": True} if is_secretive else {}
    return {**kept, **_over(current, ours), **token, **sparse}


def says_the_same(form: ListForm, row: Row, stated: Body) -> bool:
    """Return whether an entry holds all that is stated, the marker and fixed parts aside."""
    for path, value in leaves(stated):
        name = path.partition(".")[0]
        if name in _FIXED:
            continue
        held = value_at(row, path)
        if name == form.marker:
            held, value = without_entry_note(held), without_entry_note(str(value))
        if not _equal(held, value):
            return False
    return True


def is_same_content(form: ListForm, one: Row, other: Row) -> bool:
    """Return whether two readings of an entry differ in nothing that an update would state."""
    return all(one.get(name) == other.get(name) for name in form.writable)


def entry_of(form: ListForm, row: Row) -> ListEntry:
    """Return an entry as both sides know it."""
    identity = str(row["Id"])
    known = {name: value_at(row, path) for name, path in form.properties.items()}
    parts = {name: str(value) for name, value in known.items() if value is not None}
    stamp = row.get("MetaData", {}).get("LastUpdatedTime")
    updated = datetime.fromisoformat(stamp).astimezone(UTC) if stamp else None
    return ListEntry(
        external_id=f"{form.list_name}:{identity}",
        list_name=form.list_name,
        entry_id=identity,
        name=str(row[form.name_property]),
        full_name=row.get("FullyQualifiedName"),
        currency=value_at(row, "CurrencyRef.value"),
        is_active=row.get("Active", True) is not False,
        is_header=row.get("Type") == "Category" or row.get("Header") is True,
        is_project=row.get("IsProject") is True,
        edit_token=row.get("SyncToken"),
        updated_at=updated,
        source_updated_at=updated,
        attributes=_attributes(form, row),
        **parts,
    )


def checked_name(form: ListForm, name: str) -> str:
    """Return a name as the service stores it; raises LedgerRejected for one it can't take."""
    stripped = name.strip()
    too_long = len(stripped) > form.name_characters_max
    if not stripped or too_long or any(one in stripped for one in form.name_forbids):
        forbidden = form.name_forbids.encode("unicode_escape").decode()
        what = (
            f"a {form.list_name} can't be named {name[:80]!r}: 1 to {form.name_characters_max} "
            f"characters, none of {forbidden}"
        )
        raise LedgerRejected(what, reason_code="name_unusable", list_name=form.list_name)
    return stripped


def leaves(body: Row, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and value of everything in nested objects; lists count as values."""
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def value_at(row: Row, path: str) -> Any:
    """Return what stands at a dotted path, None when there is nothing."""
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _set(body: Body, form: ListForm, path: str, text: str) -> None:
    name, _, rest = path.partition(".")
    if name not in form.writable and path not in form.required:
        return  # what the service reckons by itself comes along when an entry is copied
    if not rest:
        body[name] = _typed(form, name, text)
        return
    target = body.setdefault(name, {})
    *between, last = rest.split(".")
    for part in between:
        target = target.setdefault(part, {})
    target[last] = text


def _typed(form: ListForm, name: str, text: str) -> Any:
    kind = kind_of_value(name)
    try:
        if kind == "whole":
            return int(text)
        if kind == "decimal":
            return Decimal(text)
    except (ValueError, InvalidOperation):
        what = f"{name} of a {form.list_name} is a number, not {text[:40]!r}"
        raise LedgerRejected(what, reason_code="value_unusable", property=name) from None
    return text.strip().lower() == "true" if kind == "flag" else text


def _say_whose_part_it_is(form: ListForm, body: Body) -> None:
    """Add the flag that the service wants to see beside a parent."""
    if "ParentRef" not in body:
        return
    flags = {"Job", "SubItem", "SubAccount", "SubClass", "SubDepartment"} & form.writable
    body.update(dict.fromkeys(flags, True))


def _name_parts(name: str) -> Body:
    """Return the parts of a person's name; the service insists on one of them."""
    given, _, family = name.rpartition(" ")
    return {"GivenName": given[:100], "FamilyName": family[:100]} if given else {"FamilyName": name}


def _over(current: Row, ours: Body) -> Body:
    """Return our statement; of an object of which we state a part, the rest stays as it is."""
    return {
        name: {**current[name], **value}
        if isinstance(value, Mapping)
        and isinstance(current.get(name), Mapping)
        and not name.endswith("Ref")
        else value
        for name, value in ours.items()
    }


def _keeping_marker(held: str | None, stated: str) -> str:
    """Return the stated note with the marker that stands there."""
    key = entry_key(held)
    return (entry_note(key, stated) if key else stated)[:NOTE_CHARACTERS_MAX]


def _attributes(form: ListForm, row: Row) -> dict[str, str]:
    own = {form.name_property, "Active", "CurrencyRef", *(form.properties.values())}
    found = {}
    for path, value in leaves({name: row[name] for name in form.writable if name in row}):
        if path in own or path.partition(".")[0] in own or isinstance(value, list):
            continue
        text = without_entry_note(value) if path == form.marker else _text(value)
        if text and not path.endswith("Ref.name"):
            found[path] = text
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _equal(held: Any, stated: Any) -> bool:
    if isinstance(stated, bool):
        return bool(held) is stated
    if isinstance(stated, int | Decimal):
        return isinstance(held, int | Decimal) and Decimal(held) == Decimal(stated)
    return str(held if held is not None else "").strip() == str(stated).strip()
