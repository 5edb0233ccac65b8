"""What a document's own fields in the ledger are to say of a record."""

from __future__ import annotations

from hourbridge.common.book import CustomFieldRule
from hourbridge.common.messages.events import FormField
from hourbridge.common.messages.records import Expense, TimeEntry
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.names import normal


def form_fields(book: CompiledBook, record: TimeEntry | Expense) -> tuple[FormField, ...] | None:
    """Return the fields that a record's documents state, None where the book fills none.

    The kinds that state them are the book's matter too: the poster asks for them when it makes a
    document.
    """
    rules = book.configuration.posting.custom_fields
    if not rules:
        return None
    found = []
    for rule in rules:
        value = rule.value if rule.source_field is None else _stated(record, rule)
        if value:
            found.append(
                FormField(
                    name=rule.field,
                    value=value,
                    definition_id=rule.definition_id,
                    too_long=rule.too_long,
                )
            )
    return tuple(found)


def _stated(record: TimeEntry | Expense, rule: CustomFieldRule) -> str | None:
    wanted = normal(rule.source_field or "").casefold()
    for field in record.custom_fields:
        if wanted in (normal(field.id).casefold(), normal(field.name or "").casefold()):
            return None if field.value is None else str(field.value)
    return None
