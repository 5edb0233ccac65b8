"""What a document's own fields in the ledger say, from what its charges state."""

from __future__ import annotations

from collections.abc import Sequence

from hourbridge.common.book import CustomFieldRule
from hourbridge.common.messages.events import Charge, DocumentKind, FormField


def common_fields(
    charges: Sequence[Charge], kind: DocumentKind, rules: Sequence[CustomFieldRule]
) -> tuple[FormField, ...]:
    """Return the fields of a document of ``kind``; different values stand together, in order."""
    fields = []
    for rule in rules:
        if kind.value not in rule.kinds:
            continue
        stated = [
            field.value
            for charge in charges
            for field in charge.custom_fields or ()
            if field.name == rule.field
        ]
        if stated:
            value = ", ".join(dict.fromkeys(stated))
            fields.append(
                FormField(
                    name=rule.field,
                    value=value,
                    definition_id=rule.definition_id,
                    too_long=rule.too_long,
                )
            )
    return tuple(fields)
