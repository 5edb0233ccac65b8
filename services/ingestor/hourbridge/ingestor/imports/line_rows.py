"""JSON Lines: a CloudEvent or a plain record per line, of any record type."""

from __future__ import annotations

import json
from typing import Any

from hourbridge.common.messages.envelope import TYPE_PREFIX
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RECORD_MODELS, Record, RecordType
from hourbridge.ingestor.cloudevents import all_storable, read_event, validate_record
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import Profile
from hourbridge.ingestor.imports.stated import StatedRow, refused, too_long
from hourbridge.ingestor.imports.survey import Survey
from hourbridge.ingestor.imports.tables import Row, Table


class LineRows:
    """Lines of JSON: CloudEvents or plain records."""

    def __init__(self, profile: Profile, options: ImportOptions) -> None:
        self._book = options.book
        self._default = RecordType(profile.record_type)

    def survey(self, table: Table) -> Survey:
        """Count lines and find ids that repeat; seconds are summed as stated in the JSON."""
        seen: set[str] = set()
        repeated: set[str] = set()
        rows: dict[RecordType, int] = {}
        seconds = 0
        has_seconds = False
        for row in table.rows():
            document = _json_object(row.cells[0])
            record_type = _type_of(document, self._default)
            rows[record_type] = rows.get(record_type, 0) + 1
            data = _data_of(document)
            found = data.get("external_id")
            if isinstance(found, str):
                (repeated if found in seen else seen).add(found)
            worked = data.get("input")
            if isinstance(worked, dict) and isinstance(worked.get("seconds"), int):
                has_seconds = True
                seconds += worked["seconds"]
        return Survey(rows, seconds if has_seconds else None, "point", frozenset(repeated))

    def state(self, row: Row) -> StatedRow:
        """Return what a line states."""
        long = too_long(row, self._default)
        if long is not None:
            return long
        document = _json_object(row.cells[0])
        if document is None:
            return refused(row, self._default, "not_an_object", "no JSON object")
        data = _data_of(document)
        identity = data.get("external_id")
        identity = identity if isinstance(identity, str) else None
        if "specversion" in document:
            record, reasons = self._event(document)
        else:
            record, reasons = _plain(document, self._default)
        record_type = _type_of(document, self._default)
        return StatedRow(row, record_type, record, tuple(reasons), identity)

    def _event(self, document: dict[str, Any]) -> tuple[Record | None, list[FieldReason]]:
        event = read_event(document)
        reasons = list(event.reasons)
        if event.book is not None and event.book != self._book:
            detail = f"this import is for book {self._book}"
            reasons.append(FieldReason(field="book", code="book_mismatch", detail=detail))
        record = None if reasons else event.record
        if record is not None and record.source_updated_at is None and event.time is not None:
            record = record.model_copy(update={"source_updated_at": event.time})
        return record, reasons


def _plain(
    document: dict[str, Any], default: RecordType
) -> tuple[Record | None, list[FieldReason]]:
    stated = document.get("record_type", default.value)
    reasons: list[FieldReason] = []
    if stated not in [record_type.value for record_type in RecordType]:
        detail = f"{stated!r} is no record type"
        return None, [FieldReason(field="record_type", code="type_unknown", detail=detail)]
    if not all_storable(document):
        detail = "NUL and lone surrogate characters can't be kept"
        return None, [FieldReason(field="(row)", code="text_invalid", detail=detail)]
    model = RECORD_MODELS[RecordType(stated)]
    return validate_record(model, document, reasons, prefix=""), reasons


def _type_of(document: dict[str, Any] | None, default: RecordType) -> RecordType:
    """Return which record type a line is counted under; the default if it names none."""
    if document is None:
        return default
    stated = str(document.get("record_type"))
    if "specversion" in document:
        stated = str(document.get("type")).removeprefix(TYPE_PREFIX).partition(".")[0]
    try:
        return RecordType(stated)
    except ValueError:
        return default


def _json_object(line: str) -> dict[str, Any] | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _data_of(document: dict[str, Any] | None) -> dict[str, Any]:
    if document is None:
        return {}
    data = document.get("data") if "specversion" in document else document
    return data if isinstance(data, dict) else {}
