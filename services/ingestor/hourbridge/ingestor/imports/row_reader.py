"""Reads one row's cells by our column names and collects every reason against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import Approval, ApprovalState
from hourbridge.ingestor.imports import values
from hourbridge.ingestor.imports.layout import Layout
from hourbridge.ingestor.imports.profiles import Profile
from hourbridge.ingestor.imports.values import ClockTime, DecimalMark, ValueInvalid

ReadT = TypeVar("ReadT")
_DATES = frozenset({"date", "start_date", "end_date"})
_CLOCKS = frozenset({"start_time", "end_time"})
_APPROVAL_STATES = {state.value: state for state in ApprovalState}


@dataclass(frozen=True)
class Reading:
    """What holds for every row of one file."""

    profile: Profile
    layout: Layout
    mark: DecimalMark
    dates: tuple[str, ...]
    zone: str
    is_zone_known: bool
    """False when nobody said in which zone the source writes its times; UTC is assumed then."""
    currency: str | None
    keeps_gaps: bool = False
    """Whether wall times that never were are left to the book's policy."""


@dataclass
class RowReader:
    """One row. Readers return None and note a reason when a cell can't be read."""

    reading: Reading
    cells: Sequence[str]
    reasons: list[FieldReason] = field(default_factory=list)

    def refuse(self, column: str, code: str, detail: str) -> None:
        """Note a reason under the file's own heading."""
        heading = self.reading.layout.heading(column)
        self.reasons.append(FieldReason(field=heading, code=code, detail=detail))

    def raw(self, column: str) -> str:
        """Return the cell as it is, empty when there is none."""
        found = self.reading.layout.columns.get(column)
        return self.cells[found.index].strip() if found else ""

    def text(self, column: str) -> str | None:
        """Return the cell's text after the profile's value map and rewrites, else its constant."""
        profile = self.reading.profile
        text = self.raw(column)
        text = profile.values.get(column, {}).get(text, text)
        if text and column in profile.rewrites:
            text = profile.rewrites[column].apply(text)
        return text or profile.constants.get(column)

    def has(self, column: str) -> bool:
        """Return whether the row says anything in ``column``."""
        return self.text(column) is not None

    def read(self, column: str, parse: Callable[[str], ReadT]) -> ReadT | None:
        """Return the parsed cell; None when empty or, with a reason, when unreadable."""
        text = self.text(column)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueInvalid as error:
            self.refuse(column, error.code, error.detail)
            return None

    def local_date(self, column: str) -> date | None:
        """Return a local date; a time of day after it is ignored."""
        formats = self.reading.dates

        def parse(text: str) -> date:
            head = text.replace("T", " ", 1).split(" ")[0] if text[:4].isdigit() else text
            return values.parse_date(head, formats)

        return self.read(column, parse)

    def clock(self, column: str) -> ClockTime | None:
        """Return a time of day."""
        return self.read(column, values.parse_clock)

    def moment(self, column: str) -> tuple[date | None, ClockTime] | None:
        """Return a time of day with its date, if the cell states one."""
        formats = self.reading.dates

        def parse(text: str) -> tuple[date | None, ClockTime]:
            if text[:4].isdigit() or " " in text.strip() and "/" in text:
                return values.split_moment(text, formats)
            return None, values.parse_clock(text)

        return self.read(column, parse)

    def instant(self, column: str, zone: str) -> datetime | None:
        """Return an instant stated as RFC 3339 or as a local date and time."""
        formats = self.reading.dates
        return self.read(column, lambda text: _stamp(text, formats, zone))

    def flag(self, column: str) -> bool | None:
        """Return yes or no; None when unstated."""
        profile = self.reading.profile
        return self.read(column, lambda text: values.parse_flag(text, profile.yes, profile.no))

    def number(self, column: str) -> Decimal | None:
        """Return a number in the file's notation."""
        return self.read(column, lambda text: values.parse_number(text, self.reading.mark))

    def amount(self, column: str) -> Decimal | None:
        """Return money, without its currency."""
        return self.read(column, lambda text: values.parse_amount(text, self.reading.mark))

    def currency(self, *columns: str) -> str | None:
        """Return the ISO code of the currency column, else of the headings, else the import's."""
        stated = self.text("currency")
        if stated:
            code = values.currency_in(stated.upper() if len(stated) == 3 else stated)
            if code is None:
                self.refuse("currency", "currency_invalid", f"{stated!r} names no ISO currency")
            return code
        for column in columns:
            found = self.reading.layout.columns.get(column)
            if found is not None and found.currency:
                return found.currency
        return self.reading.currency

    def tags(self) -> tuple[str, ...]:
        """Return the tags, each once, in the file's order."""
        separator = self.reading.profile.tag_separator
        parts = (part.strip() for part in (self.text("tags") or "").split(separator))
        return tuple(dict.fromkeys(part for part in parts if part))

    def person(self) -> tuple[str | None, str | None]:
        """Return (id, name) of who the row is about; without an id the e-mail or name is it."""
        parts = (self.text("first_name"), self.text("last_name"))
        full = " ".join(part for part in parts if part) or None
        name = self.text("staff_name") or self.text("staff") or full
        return self.text("staff_id") or self.text("email") or name, name

    def thing(self, name: str) -> tuple[str | None, str | None]:
        """Return (id, name) of a client, project or task; without an id the name is it."""
        label = self.text(name)
        return self.text(f"{name}_id") or label, label

    def approval(self) -> Approval:
        """Return the approval as far as the row says anything of it."""
        text = self.text("approved")
        if text is None:
            return Approval()
        state = _APPROVAL_STATES.get(text.casefold().replace(" ", "_"))
        if state is None:
            approved = self.flag("approved")
            state = ApprovalState.APPROVED if approved else ApprovalState.DRAFT
        return Approval(state=state, source_status_text=self.raw("approved") or None)

    def key(self) -> str | None:
        """Return a hash of the profile's key columns; None when they are all empty.

        Values enter in normal form: a file that writes dates another way gives the same key.
        """
        parts = [self._key_part(column) for column in self.reading.profile.key]
        return derive_key(*parts) if any(parts) else None

    def _key_part(self, column: str) -> str:
        if column == "staff":
            return self.person()[0] or ""
        text = self.text(column) or ""
        try:
            if text and column in _DATES:
                return values.parse_date(text, self.reading.dates).isoformat()
            if text and column in _CLOCKS:
                return values.parse_clock(text).at.isoformat()
        except ValueInvalid:
            pass  # the row is rejected anyway; its text still tells it from others
        return text


def _stamp(text: str, formats: tuple[str, ...], zone: str) -> datetime:
    day, clock = values.split_moment(text, formats)
    try:
        return values.instant_of(day, clock, zone)
    except ValueInvalid as error:
        if error.code == "date_invalid":
            raise
        # A stamp orders revisions, it bills nothing: read doubtful wall times as UTC.
        return values.instant_of(day, clock, "UTC")
