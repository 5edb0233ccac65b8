"""A file as statements: every row gives a record, or every reason why there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hourbridge.common.messages.envelope import TYPE_PREFIX
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RECORD_MODELS, Deletion, Record, RecordType
from hourbridge.ingestor.cloudevents import (
    all_storable,
    is_storable,
    read_event,
    validate_record,
)
from hourbridge.ingestor.imports.layout import match_layout
from hourbridge.ingestor.imports.master_rows import BUILDERS
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import Profile
from hourbridge.ingestor.imports.row_reader import Reading, RowReader
from hourbridge.ingestor.imports.survey import Survey, survey_table
from hourbridge.ingestor.imports.tables import CsvTable, JsonTable, LinesTable, Row, Table
from hourbridge.ingestor.imports.text import detect_encoding

_UTC = "UTC"


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


class FileReading:
    """One file, read through one profile. Reading it again yields the same."""

    def __init__(self, path: Path, profile: Profile, options: ImportOptions) -> None:
        self._profile = profile
        self._options = options
        encoding = options.encoding or detect_encoding(path)
        self._table = _open(path, profile, encoding, options.delimiter)
        if profile.format == "jsonl":
            self._rows: _CsvRows | _JsonLines = _JsonLines(profile, options)
        else:
            self._rows = _CsvRows(self._table, profile, options)
        self.survey = self._rows.survey(self._table)

    @property
    def header(self) -> list[str]:
        """Return the file's headings."""
        return self._table.header

    @property
    def record_types(self) -> tuple[RecordType, ...]:
        """Return what the file holds records of."""
        return tuple(self.survey.rows) or (RecordType(self._profile.record_type),)

    def statements(self) -> Iterator[StatedRow]:
        """Yield what each row states; rows whose id repeats come last, together."""
        held: dict[str, list[StatedRow]] = {}
        for row in self._table.rows():
            stated = self._rows.state(row)
            if stated.identity is not None and stated.identity in self.survey.repeated_ids:
                held.setdefault(stated.identity, []).append(stated)
            else:
                yield stated
        for group in held.values():
            yield from group


def _open(path: Path, profile: Profile, encoding: str, delimiter: str | None) -> Table:
    if profile.format == "json":
        return JsonTable(path, encoding)
    if profile.format == "jsonl":
        return LinesTable(path, encoding)
    return CsvTable(path, encoding, delimiter)


class _CsvRows:
    """Rows of a table with columns."""

    def __init__(self, table: Table, profile: Profile, options: ImportOptions) -> None:
        self._profile = profile
        self._record_type = RecordType(profile.record_type)
        self._model = RECORD_MODELS[self._record_type]
        self._layout = match_layout(profile, table.header)
        self._options = options
        self._occurrences: dict[str, int] = {}
        self._reading: Reading | None = None

    def survey(self, table: Table) -> Survey:
        """Take the first pass; what it finds holds for all rows."""
        self._reading = self._make_reading("point")
        survey = survey_table(table.rows(), self._layout, self._record_type, self._stated_id)
        stated = self._options.decimal or self._profile.decimal
        mark = survey.mark if stated == "auto" else stated
        self._reading = self._make_reading(mark)
        return survey

    def _make_reading(self, mark: Any) -> Reading:
        options, profile = self._options, self._profile
        is_day_first = options.date_order == "dmy" and profile.day_first_dates
        zone = options.zone or profile.zone
        return Reading(
            profile=profile,
            layout=self._layout,
            mark=mark,
            dates=profile.day_first_dates if is_day_first else profile.dates,
            zone=zone or _UTC,
            is_zone_known=zone is not None,
            currency=options.currency or profile.currency,
        )

    def _reader(self, row: Row) -> RowReader:
        if self._reading is None:
            raise ValueError("the survey comes first")
        return RowReader(self._reading, row.cells)

    def _stated_id(self, row: Row) -> str | None:
        if "external_id" not in self._layout.columns or len(row.cells) != self._layout.width:
            return None
        return self._reader(row).text("external_id")

    def state(self, row: Row) -> StatedRow:
        """Return what a row states."""
        if row.number == 1:
            self._occurrences.clear()
        if row.is_blank:
            return StatedRow(row, self._record_type, is_blank=True)
        if len(row.cells) != self._layout.width:
            detail = f"{len(row.cells)} cells under {self._layout.width} headings"
            reason = FieldReason(field="(row)", code="ragged_row", detail=detail)
            return StatedRow(row, self._record_type, reasons=(reason,))
        if not all(is_storable(cell) for cell in row.cells):
            reason = FieldReason(field="(row)", code="text_invalid", detail="holds a NUL character")
            return StatedRow(row, self._record_type, reasons=(reason,))
        reader = self._reader(row)
        identity = self._identity(reader)
        fields = BUILDERS[self._record_type.value](reader)
        fields |= self._envelope(reader, identity)
        record = None if reader.reasons else self._validated(reader, fields)
        return StatedRow(row, self._record_type, record, tuple(reader.reasons), identity)

    def _identity(self, reader: RowReader) -> str | None:
        """Return the stated id, else the key's hash and the occurrence among equal rows."""
        if "external_id" in self._layout.columns:
            stated = reader.text("external_id")
            if stated is None:
                reader.refuse("external_id", "missing", "must not be empty")
            return stated
        key = reader.key()
        if key is None:
            reader.refuse("(row)", "missing", "nothing tells this row from others")
            return None
        occurrence = self._occurrences[key] = self._occurrences.get(key, 0) + 1
        return key if occurrence == 1 else f"{key}-{occurrence}"

    def _envelope(self, reader: RowReader, identity: str | None) -> dict[str, Any]:
        zone = self._reading.zone if self._reading else _UTC
        updated_at = reader.instant("updated_at", zone)
        previous = (part.strip() for part in (reader.text("previous_ids") or "").split(","))
        is_derived = "external_id" not in self._layout.columns
        return {
            "external_id": identity,
            "external_id_kind": "derived" if is_derived else "stable",
            "previous_external_ids": tuple(part for part in previous if part),
            "external_version": reader.text("revision"),
            "source_updated_at": updated_at,
            "source_created_at": reader.instant("created_at", zone),
            "deleted": Deletion(at=updated_at) if reader.flag("deleted") else None,
            "tags": reader.tags(),
            "url": reader.text("url"),
        }

    def _validated(self, reader: RowReader, fields: dict[str, Any]) -> Record | None:
        found: list[FieldReason] = []
        record = validate_record(self._model, fields, found, prefix="")
        reader.reasons.extend(found)
        return record


class _JsonLines:
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
        document = _json_object(row.cells[0])
        if document is None:
            reason = FieldReason(field="(row)", code="not_an_object", detail="no JSON object")
            return StatedRow(row, self._default, reasons=(reason,))
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
    stated = document.get("record_type")
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
