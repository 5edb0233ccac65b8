"""Rows with columns: identity, envelope and the fields of their record type."""

from __future__ import annotations

from typing import Any

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import RECORD_MODELS, Deletion, Record, RecordType
from hourbridge.ingestor.cloudevents import is_storable, validate_record
from hourbridge.ingestor.imports.layout import match_layout
from hourbridge.ingestor.imports.master_rows import BUILDERS
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import Profile
from hourbridge.ingestor.imports.row_reader import Reading, RowReader
from hourbridge.ingestor.imports.stated import StatedRow, refused, too_long
from hourbridge.ingestor.imports.survey import Survey, survey_table
from hourbridge.ingestor.imports.tables import Row, Table

_UTC = "UTC"


class TableRows:
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
            keeps_gaps=options.gaps == "keep",
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
        if row.number == 1:  # the file is read from its beginning again
            self._occurrences.clear()
        long = too_long(row, self._record_type)
        if long is not None:
            return long
        if row.is_blank:
            return StatedRow(row, self._record_type, is_blank=True)
        if len(row.cells) != self._layout.width:
            detail = f"{len(row.cells)} cells under {self._layout.width} headings"
            return refused(row, self._record_type, "ragged_row", detail)
        if not all(is_storable(cell) for cell in row.cells):
            return refused(row, self._record_type, "text_invalid", "holds a NUL character")
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
