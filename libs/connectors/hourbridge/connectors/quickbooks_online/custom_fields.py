"""Forms' own fields: the three old ones by name, the newer ones by the id of their definition.

Old ones are texts of up to 31 characters on sales forms, named in the company's preferences. Newer
ones, on bills too, are silently dropped unless the call asks for them, and their definitions can't
be read here: so the book says the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentKind, FormField
from hourbridge.connectors.quickbooks_online.references import References

ENHANCED = "enhancedAllCustomFields"
"""What a call includes to write the newer fields."""
LEGACY_CHARACTERS_MAX = 31
_SALES = (DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO)
_FIELD = "field:"


def custom_fields(references: References, document: Document) -> dict[str, Any]:
    """Return the block of a document's own fields; nothing where it states none."""
    fields = [_field(references, document, field) for field in document.custom_fields]
    return {"CustomField": fields} if fields else {}


def is_enhanced(document: Document) -> bool:
    """Return whether a document states fields that the call has to ask for."""
    return any(field.definition_id is not None for field in document.custom_fields)


def with_others(ours: dict[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body that keeps the fields which people filled and we don't state."""
    if "CustomField" not in ours:
        return ours
    own = {each["DefinitionId"] for each in ours["CustomField"]}
    others = [
        each for each in current.get("CustomField", []) if each.get("DefinitionId") not in own
    ]
    return {**ours, "CustomField": [*ours["CustomField"], *others]}


def stated_fields(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what a form's own fields say, by our name for them."""
    return {
        f"{_FIELD}{str(each['Name']).casefold()}": str(each["StringValue"])
        for each in row.get("CustomField", [])
        if each.get("Name") and each.get("StringValue")
    }


def _field(references: References, document: Document, field: FormField) -> dict[str, Any]:
    if field.definition_id is not None:
        return _made(field.definition_id, field.name, field.value)
    if document.kind not in _SALES:
        what = f"the company's own field {field.name!r} is on sales forms only"
        raise LedgerRejected(what, reason_code="custom_field_unsupported", number=document.number)
    definition = references.preferences.form_fields.get(field.name.casefold())
    if definition is None:
        what = f"the company's sales forms have no field {field.name!r}"
        raise LedgerRejected(what, reason_code="custom_field_unknown", number=document.number)
    return _made(definition, field.name, _fitting(document, field))


def _fitting(document: Document, field: FormField) -> str:
    if len(field.value) <= LEGACY_CHARACTERS_MAX:
        return field.value
    if field.too_long == "cut":
        return field.value[:LEGACY_CHARACTERS_MAX]
    what = (
        f"the field {field.name!r} takes {LEGACY_CHARACTERS_MAX} characters, "
        f"{field.value!r} has {len(field.value)}"
    )
    raise LedgerRejected(what, reason_code="custom_field_too_long", number=document.number)


def _made(definition: str, name: str, value: str) -> dict[str, Any]:
    return {
        "DefinitionId": definition,
        "Name": name,
        "Type": "StringType",
        "StringValue": value,
    }
