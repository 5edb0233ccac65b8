"""The first pass over a file: what it holds, counted before anything is parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.common.messages.records import RecordType
from hourbridge.ingestor.imports.layout import Layout
from hourbridge.ingestor.imports.tables import Row
from hourbridge.ingestor.imports.values import DecimalMark, DecimalMarkEvidence

_H_M_S = re.compile(r"(-?)(\d+):(\d\d)(?::(\d\d))?")
_NUMBER = re.compile(r"-?[\d.,]*\d")
_NUMERIC_COLUMNS = (
    "hours",
    "duration",
    "billable_hours",
    "rate",
    "amount",
    "cost_rate",
    "cost_amount",
    "budget_hours",
    "budget_amount",
)
_DURATION_COLUMNS = ("seconds", "duration", "hours")
"""The first of these that a file has is what it says of durations."""


@dataclass(frozen=True)
class Survey:
    """What a file holds, by its own raw text."""

    rows: dict[RecordType, int]
    seconds: int | None
    """The sum of the duration column; None when the file has none."""
    mark: DecimalMark
    repeated_ids: frozenset[str]
    """Ids that more than one row has; those rows are decided together."""

    @property
    def rows_total(self) -> int:
        """Return how many rows the file has."""
        return sum(self.rows.values())


def survey_table(
    rows: Iterable[Row],
    layout: Layout,
    record_type: RecordType,
    row_id: Callable[[Row], str | None],
) -> Survey:
    """Count rows, sum durations and find repeated ids."""
    evidence = DecimalMarkEvidence()
    numeric = [layout.columns[name].index for name in _NUMERIC_COLUMNS if name in layout.columns]
    stated = next((name for name in _DURATION_COLUMNS if name in layout.columns), None)
    durations = RawSum(is_seconds=stated == "seconds")
    seen: set[str] = set()
    repeated: set[str] = set()
    count = 0
    for row in rows:
        count += 1
        cells = row.cells
        evidence.look([cells[index].strip() for index in numeric if index < len(cells)])
        if stated is not None and layout.columns[stated].index < len(cells):
            durations.add(cells[layout.columns[stated].index].strip())
        found = row_id(row)
        if found is not None:
            (repeated if found in seen else seen).add(found)
    seconds = None if stated is None else durations.seconds(evidence.mark)
    return Survey({record_type: count}, seconds, evidence.mark, frozenset(repeated))


class RawSum:
    """Adds up durations as text; independent of the parser whose work it checks."""

    def __init__(self, *, is_seconds: bool = False) -> None:
        self._unit = 1 if is_seconds else 3600
        self._clock_seconds = 0
        self._point = Decimal(0)
        self._comma = Decimal(0)

    def add(self, text: str) -> None:
        """Add one cell; what is no duration adds nothing."""
        clock = _H_M_S.match(text)
        if clock:
            sign, hours, minutes, seconds = clock.groups()
            total = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
            self._clock_seconds += -total if sign else total
            return
        number = _NUMBER.match(text)
        if number:
            self._point += _as_decimal(number[0].replace(",", ""))
            self._comma += _as_decimal(number[0].replace(".", "").replace(",", "."))

    def seconds(self, mark: DecimalMark) -> int:
        """Return the sum in whole seconds."""
        decimals = self._comma if mark == "comma" else self._point
        return self._clock_seconds + int((decimals * self._unit).to_integral_value())


def _as_decimal(text: str) -> Decimal:
    return Decimal(text) if text.count(".") <= 1 else Decimal(0)
