"""From rows to statements: what every feed has in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import InvalidOperation
from typing import Any

from pydantic import ValidationError

from hourbridge.common.exact_json import dumps
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import Record
from hourbridge.connectors.quickbooks_online.inbound.asking import Row, instant_of
from hourbridge.connectors.quickbooks_online.inbound.cursors import order_key
from hourbridge.connectors.source import Statement

VALUE_CHARACTERS_MAX = 4000


@dataclass
class Told:
    """Statements of a page, and what was left out of it."""

    statements: list[Statement] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """Count a row that our own rules leave out."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def state(
    entity: str,
    row: Row,
    make: Callable[[], Record],
    *,
    external_id: str,
    is_last: bool = False,
    least: int | None = None,
) -> Statement:
    """Return the statement of a row: the record, or why it can't be understood.

    ``least``: an order key; what a row says is at least as new, whatever it says of itself.
    """
    statement = Statement(
        raw=dumps(row).encode(),
        location=f"{entity} {row.get('Id', '?')}",
        order_key=key_of(row, is_last=is_last),
        notes={"external_id": external_id},
    )
    if least is not None:
        statement = replace(statement, order_key=max(key_of(row), least))
    try:
        return replace(statement, record=make())
    except ValidationError as error:
        return replace(statement, reasons=_reasons(error))
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        text = f"{type(error).__name__}: {error}"
        return replace(statement, reasons=(FieldReason(field="", code="unreadable", detail=text),))


def key_of(row: Row, *, is_last: bool = False) -> int:
    """Return the order of a row among all statements of the same object."""
    return order_key(_instant(row), _token(row), is_last=is_last)


def value_of(row: Row, name: str) -> str | None:
    """Return the id in a reference, None without one."""
    reference = row.get(name)
    return str(reference["value"]) if isinstance(reference, dict) and "value" in reference else None


def name_in(row: Row, name: str) -> str | None:
    """Return the name beside the id in a reference."""
    reference = row.get(name)
    return str(reference["name"]) if isinstance(reference, dict) and "name" in reference else None


def leaves(value: Any, path: str = "") -> dict[str, str]:
    """Return every plain value inside by its dotted path; lists by position."""
    if isinstance(value, dict):
        inner = [(f"{path}.{name}" if path else str(name), each) for name, each in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}.{number}", each) for number, each in enumerate(value)]
    else:
        return {} if value is None else {path: text_of(value)[:VALUE_CHARACTERS_MAX]}
    return {key: text for name, each in inner for key, text in leaves(each, name).items()}


def text_of(value: Any) -> str:
    """Return a value of JSON as text: true and false in lower case, numbers digit by digit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if hasattr(value, "as_tuple") else str(value)


def _instant(row: Row) -> datetime | None:
    try:
        return instant_of(row)
    except (ValueError, AttributeError):
        return None


def _token(row: Row) -> str | None:
    token = row.get("SyncToken")
    return None if token is None else str(token)


def _reasons(error: ValidationError) -> tuple[FieldReason, ...]:
    found: Sequence[Any] = error.errors(include_url=False)
    return tuple(
        FieldReason(
            field=".".join(str(part) for part in one["loc"]), code=one["type"], detail=one["msg"]
        )
        for one in found
    )
