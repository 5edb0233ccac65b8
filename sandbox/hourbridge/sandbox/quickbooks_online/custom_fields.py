"""Forms' own fields: three old texts, and newer ones that are dropped unless asked for."""

from __future__ import annotations

from collections.abc import Sequence

from hourbridge.sandbox.quickbooks_online.refusals import invalid_property
from hourbridge.sandbox.quickbooks_online.values import Entity, text_of

_LEGACY = ("1", "2", "3")
_LEGACY_LIMIT = 31
_ASKED_FOR = "enhancedallcustomfields"


def shape(given: Entity, options: Sequence[str]) -> list[Entity] | None:
    """Return the fields to store; raises the refusal of the first that doesn't fit."""
    fields = given.get("CustomField")
    if fields is None:
        return None
    if not isinstance(fields, list):
        raise invalid_property("CustomField")
    kept = []
    for field in fields:
        if not isinstance(field, dict) or not field.get("DefinitionId"):
            raise invalid_property("CustomField")
        if str(field["DefinitionId"]) in _LEGACY:
            text_of(field, "StringValue", _LEGACY_LIMIT)
        elif _ASKED_FOR not in options:
            continue
        kept.append(field)
    return kept or None
