"""Rows of a file, before anybody reads their cells: CSV, JSON arrays, JSON Lines."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hourbridge.ingestor.imports.text import (
    FileUnreadable,
    first_line,
    open_text,
    sniff_delimiter,
)

CELL_CHARACTERS_MAX = 1 << 20
ROW_CHARACTERS_MAX = 1_000_000
csv.field_size_limit(CELL_CHARACTERS_MAX)


@dataclass(frozen=True)
class Row:
    """One row; ``number`` counts from 1 after the header, blank lines left out."""

    number: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """Return whether no cell says anything."""
        return not any(cell.strip() for cell in self.cells)

    @property
    def characters(self) -> int:
        """Return how long the row is."""
        return sum(map(len, self.cells))


class Table(Protocol):
    """A file of rows that can be read any number of times."""

    header: list[str]

    def rows(self) -> Iterator[Row]:
        """Yield the rows; raise FileUnreadable where the file can't be read on."""
        ...


class CsvTable:
    """A delimited text file with a header."""

    def __init__(self, path: Path, encoding: str, delimiter: str | None = None) -> None:
        self._path = path
        self._encoding = encoding
        with open_text(path, encoding) as stream:
            line = first_line(stream)
        if not line:
            raise FileUnreadable("the file is empty")
        self._delimiter = delimiter or sniff_delimiter(line)
        self.header = next(self._records(), [])

    def rows(self) -> Iterator[Row]:
        """Yield the rows after the header."""
        records = self._records()
        next(records, None)
        for number, cells in enumerate(records, 1):
            yield Row(number, cells)

    def _records(self) -> Iterator[list[str]]:
        with open_text(self._path, self._encoding) as stream:
            reader = csv.reader(stream, delimiter=self._delimiter)
            try:
                for cells in reader:
                    if cells:
                        yield cells
            except csv.Error as error:
                raise FileUnreadable(f"line {reader.line_num}: {error}") from None


class JsonTable:
    """A JSON array of flat objects; its keys are the headings."""

    def __init__(self, path: Path, encoding: str) -> None:
        with open_text(path, encoding) as stream:
            try:
                # Numbers stay text: no digit may get lost on the way through binary floats.
                document = json.load(stream, parse_float=str, parse_int=str)
            except (ValueError, RecursionError) as error:
                raise FileUnreadable(f"not JSON: {error}") from None
        if not isinstance(document, list):
            raise FileUnreadable("expected a JSON array of objects")
        self._objects: list[Any] = document
        keys: dict[str, None] = {}
        for item in document:
            if isinstance(item, dict):
                keys.update(dict.fromkeys(item))
        self.header = list(keys)

    def rows(self) -> Iterator[Row]:
        """Yield one row per element; what is no object has too few cells."""
        for number, item in enumerate(self._objects, 1):
            if isinstance(item, dict):
                yield Row(number, [_cell(item.get(key)) for key in self.header])
            else:
                yield Row(number, [_cell(item)] if len(self.header) != 1 else [])


class LinesTable:
    """JSON Lines: each line is a row of one cell."""

    header = ["line"]

    def __init__(self, path: Path, encoding: str) -> None:
        self._path = path
        self._encoding = encoding

    def rows(self) -> Iterator[Row]:
        """Yield the lines that aren't blank."""
        number = 0
        with open_text(self._path, self._encoding) as stream:
            for line in stream:
                if line.strip():
                    number += 1
                    yield Row(number, [line.rstrip("\r\n")])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
