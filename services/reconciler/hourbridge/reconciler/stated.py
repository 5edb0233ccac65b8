"""What a document states beside its amounts, by the names that connectors give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hourbridge.common.book import LedgerReference
from hourbridge.common.messages.events import Document

_FIELD = "field:"


def stated_of(document: Document) -> dict[str, Any]:
    """Return what is to be compared: references by the list that they are in, or texts."""
    activity = document.activity
    references = {
        "employee": ("employee", document.employee),
        "department": ("department", document.department),
        "paid_from": ("account", document.paid_from),
        "class": ("class", activity.class_ref if activity else None),
    }
    stated: dict[str, Any] = {
        name: {"list": kind, "reference": reference.model_dump(mode="json", exclude_none=True)}
        for name, (kind, reference) in references.items()
        if reference is not None
    }
    for field in document.custom_fields:
        may_be_cut = field.too_long == "cut"
        stated[field_name(field.name)] = {
            "text": field.value,
            "may_be_cut": may_be_cut,
            "is_hidden": field.definition_id is not None,
        }
    return stated


def field_name(name: str) -> str:
    """Return what a form's own field is called among stated things."""
    return f"{_FIELD}{name.casefold()}"


def expected_values(
    stated: Mapping[str, Any],
    found: Mapping[str, str],
    resolve: Callable[[str, LedgerReference], str | None],
) -> dict[str, str]:
    """Return what the ledger should say; what it can't tell or keeps shorter is no difference.

    A company that tracks no departments or classes keeps none of ours.
    """
    expected = {}
    for name, each in stated.items():
        if each.get("is_hidden") and name not in found:
            continue  # newer fields are not in every answer
        if "text" in each:
            expected[name] = _text(each, found.get(name))
            continue
        reference = LedgerReference.model_validate(each["reference"])
        identity = resolve(each["list"], reference)
        is_optional = name in ("department", "class")
        if identity is not None and not (is_optional and name not in found):
            expected[name] = identity
    return expected


def _text(each: Mapping[str, Any], found: str | None) -> str:
    wanted = str(each["text"])
    is_cut = bool(each["may_be_cut"] and found and wanted.startswith(found))
    return found if is_cut and found is not None else wanted
