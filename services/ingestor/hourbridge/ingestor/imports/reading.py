"""A file as statements: every row gives a record, or every reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hourbridge.common.messages.records import RecordType
from hourbridge.ingestor.imports.line_rows import LineRows
from hourbridge.ingestor.imports.options import ImportOptions
from hourbridge.ingestor.imports.profiles import Profile
from hourbridge.ingestor.imports.stated import StatedRow
from hourbridge.ingestor.imports.table_rows import TableRows
from hourbridge.ingestor.imports.tables import CsvTable, JsonTable, LinesTable, Table
from hourbridge.ingestor.imports.text import detect_encoding


class FileReading:
    """One file, read through one profile. Reading it again yields the same."""

    def __init__(self, path: Path, profile: Profile, options: ImportOptions) -> None:
        self._profile = profile
        self._options = options
        encoding = options.encoding or detect_encoding(path)
        self._table = _open(path, profile, encoding, options.delimiter)
        if profile.format == "jsonl":
            self._rows: TableRows | LineRows = LineRows(profile, options)
        else:
            self._rows = TableRows(self._table, profile, options)
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
