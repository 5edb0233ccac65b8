"""What a row comes to, whatever the file's format."""

from __future__ import annotations

from dataclasses import dataclass

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import Record, RecordType
from hourbridge.ingestor.imports.tables import ROW_CHARACTERS_MAX, Row


@dataclass(frozen=True)
class StatedRow:
    """What one row states."""

    row: Row
    record_type: RecordType
    record: Record | None = None
    reasons: tuple[FieldReason, ...] = ()
    identity: str | None = None
    """The external id, as far as the row has one that can be read; also of refused rows."""
    is_blank: bool = False


def refused(row: Row, record_type: RecordType, code: str, detail: str) -> StatedRow:
    """Return a row that can't be read as a whole."""
    reason = FieldReason(field="(row)", code=code, detail=detail)
    return StatedRow(row, record_type, reasons=(reason,))


def too_long(row: Row, record_type: RecordType) -> StatedRow | None:
    """Return the refusal of a row too long to travel, None for others."""
    if row.characters <= ROW_CHARACTERS_MAX:
        return None
    return refused(row, record_type, "row_too_long", f"more than {ROW_CHARACTERS_MAX} characters")
