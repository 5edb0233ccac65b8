"""Who a stated thing is, in what order it was stated, and whether it says anything new.

Pure functions. Nothing here depends on the order or the time of arrival.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from hourbridge.common.ids import derive_id
from hourbridge.common.messages.records import Expense, Record, RecordType, TimeEntry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION_DIGITS_MAX = 18
"""Larger numbers do not fit a signed 64-bit column."""

_NOT_CONTENT = frozenset(
    {
        # identity: an id that the source changes does not change what is stated
        "external_id",
        "external_id_kind",
        "previous_external_ids",
        "url",
        # order: compared as order key, never as content
        "external_version",
        "source_created_at",
        "source_updated_at",
        "observed_at",
        # presentation: the same fact, written another way
        "display",
        "original_start_text",
        "original_end_text",
        "derivation",
    }
)
_DELETED_CONTENT = {"deleted": True}


class OrderKind(StrEnum):
    """What a source's statements are ordered by; one kind per source and record type."""

    VERSION = "version"
    """The source's own whole-number version."""
    TIME = "time"
    """Update time, else the reading's as-of time, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class OrderKey:
    """The place of a statement among all statements about the same record."""

    kind: OrderKind
    value: int


@lru_cache(maxsize=8192)  # a batch asks twice for each: when looking names up and when creating
def record_id_of(book: str, source: str, record_type: RecordType, external_id: str) -> str:
    """Return the stable id of the thing that the source calls ``external_id``."""
    return derive_id(book, source, record_type.value, external_id)


def microseconds_of(instant: datetime) -> int:
    """Return whole microseconds since 1970, 0 for earlier instants."""
    return max(0, (instant - _EPOCH) // _MICROSECOND)


def order_key_of(record: Record, reading_as_of: datetime) -> OrderKey:
    """Return the source's own version, else its update time, else the reading's as-of time."""
    version = record.external_version
    if version and version.isascii() and version.isdigit() and len(version) <= _VERSION_DIGITS_MAX:
        return OrderKey(OrderKind.VERSION, int(version))
    return OrderKey(OrderKind.TIME, microseconds_of(record.source_updated_at or reading_as_of))


def content_hash_of(record: Record) -> str:
    """Return SHA-256 over the business content: equal facts give equal hashes.

    1.5 and 1.50 are equal, as are differently ordered fields and tags; absent equals default.
    All deletions are equal: what a deleted thing said last no longer matters.
    """
    return hashlib.sha256(_ENCODER.encode(_content(record)).encode()).hexdigest()


def date_of(record: Record) -> date | None:
    """Return the local day by which windows select the record; None for master data."""
    if isinstance(record, TimeEntry):
        return record.work_date
    return record.expense_date if isinstance(record, Expense) else None


def _content(record: Record) -> dict[str, Any]:
    if record.deleted is not None and record.deleted.confirmed:
        return _DELETED_CONTENT
    content = record.model_dump(exclude_defaults=True, exclude=_NOT_CONTENT)  # type: ignore[arg-type]
    for duration in ("input", "billable"):
        if duration in content:
            content[duration].pop("decimal_text", None)
    if "tags" in content:
        content["tags"] = sorted(content["tags"])
    if "custom_fields" in content:
        content["custom_fields"] = sorted(content["custom_fields"], key=lambda item: item["id"])
    return content


def _canonical(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, date):  # datetimes too; instants are UTC inside models
        return value.isoformat()
    raise TypeError(f"no canonical text for {type(value).__name__}")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_canonical
)
