"""From a row's fields to a statement: a record, or every reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from hourbridge.common.messages.records import Deletion, ExternalLink, Record
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.source import Statement

LEDGER_SYSTEM = "quickbooks"
"""BigTime's links don't say whether they point into QuickBooks Online or Desktop."""

TASK_PREFIX = "task:"
"""Tasks and labor codes are one record type here and count separately there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> int:
    """Return whole microseconds since 1970: what statements are ordered by."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def state(
    model: type[Record],
    row: Row,
    fields: Mapping[str, Any],
    *,
    location: str,
    read_at: datetime,
    notes: Mapping[str, Any] | None = None,
) -> Statement:
    """Return what a row states. Its order is when it was asked for.

    BigTime's changed dates can't order: rates are applied again without moving them.
    """
    record = None if row.reasons else _record(model, row, fields)
    stated = dict(notes or {})
    modified = row.text("DtModified")
    if modified is not None:
        stated["modified"] = modified
    if record is None and fields.get("external_id") is not None:
        # What can't be used is still there: it must not seem deleted.
        stated["external_id"] = fields["external_id"]
    return Statement(
        raw=row.raw,
        location=location,
        record=record,
        reasons=tuple(row.reasons),
        order_key=microseconds(read_at),
        notes=stated,
    )


def deletion(
    model: type[Record], fields: Mapping[str, Any], *, read_at: datetime, location: str
) -> Statement:
    """Return the statement that a thing, asked for by its id, is not there any more."""
    row = Row({}, b'{"deleted": true}')
    gone = Deletion(at=read_at, how="diff", confirmed=True)
    return state(model, row, {**fields, "deleted": gone}, location=location, read_at=read_at)


def links(company: str | None, **ids: str | None) -> tuple[ExternalLink, ...]:
    """Return pointers into the accounting system, by the kind of thing pointed at."""
    return tuple(
        ExternalLink(target_system=LEDGER_SYSTEM, target_company=company, type=kind, id=found)
        for kind, found in ids.items()
        if found is not None
    )


def custom_fields(row: Row) -> list[dict[str, Any]]:
    """Return the fields that the firm's administrator defined; values are always text."""
    found = []
    for udf in row.children("UdfList", "UDFList"):
        sid, name = udf.identifier("Sid", "Id"), udf.text("Name", "Nm")
        if sid is None and name is None:
            continue
        value = udf.text("Value")
        found.append({"id": sid or name, "name": name, "value": value, "raw": value})
    return found


def task_id(row: Row) -> str | None:
    """Return a task's id as records carry it."""
    found = row.identifier("TaskSID")
    return None if found is None else f"{TASK_PREFIX}{found}"


def rate_slots(row: Row) -> tuple[Decimal | None, ...]:
    """Return the five rates of a person or labor code; 0 means that none is set."""
    slots = tuple(row.number(f"Rate{slot}") or None for slot in range(1, 6))
    return slots if any(slots) else ()


def _record(model: type[Record], row: Row, fields: Mapping[str, Any]) -> Record | None:
    if not _is_storable(row.values):
        row.refuse("(row)", "text_unstorable", "holds a NUL or half of a character pair")
        return None
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return model.model_validate({**given, "derivation": tuple(row.notes)})
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False):
            path = ".".join(str(part) for part in found["loc"]) or "(row)"
            row.refuse(path, str(found["type"]), str(found["msg"]))
        return None


def _is_storable(value: Any) -> bool:
    """Return whether PostgreSQL can hold every text in a value."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, Mapping):
        return all(_is_storable(key) and _is_storable(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_storable(item) for item in value)
    return True
