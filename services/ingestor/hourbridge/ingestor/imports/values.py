"""What cells say: dates, clock times, durations, numbers, flags. Nothing is guessed silently.

Every function raises ValueInvalid with a stable code and a text for people.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from hourbridge.common.local_time import LocalTimeProblem, resolve_local

SECONDS_PER_HOUR = 3600
SECONDS_MAX = 24 * SECONDS_PER_HOUR

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?\s*[Mm]\.?)?"
    r"(?:\s*(?P<offset>Z|z|[+-]\d{2}:?\d{2}))?"
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})")
_H_M_S = re.compile(
    r"(?P<sign>-?)(?P<hours>\d{1,5}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?"
)
_UNIT = re.compile(r"\s*(?:h|hr|hrs|hour|hours|std\.?)$", re.IGNORECASE)
_POINT = re.compile(r"-?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?")
_COMMA = re.compile(r"-?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d+)?")
_POINT_EVIDENCE = re.compile(r"-?[\d,]*\d\.(?:\d{1,2}|\d{4,})|-?0\.\d+|-?\d{1,3}(?:,\d{3})+\.\d+")
_COMMA_EVIDENCE = re.compile(r"-?[\d.]*\d,(?:\d{1,2}|\d{4,})|-?0,\d+|-?\d{1,3}(?:\.\d{3})+,\d+")
_CURRENCY_TEXT = re.compile(r"[$€£¥\s]|(?<![A-Z])[A-Z]{3}(?![A-Z])")
_ISO_CODE = re.compile(r"(?<![A-Z])([A-Z]{3})(?![A-Z])")

DecimalMark = Literal["point", "comma"]


class ValueInvalid(Exception):
    """A cell can't be read; the row's reasons say why. Never leaves the row reader."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class ClockTime:
    """A time of day, with its offset from UTC if the text gave one."""

    at: time
    offset: timezone | None = None


@lru_cache(maxsize=4096)
def parse_date(text: str, formats: tuple[str, ...]) -> date:
    """Return the date that the first fitting format finds."""
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a local date
        except ValueError:
            continue
    readable = ", ".join(formats)
    raise ValueInvalid("date_invalid", f"{text!r} is no date in the formats {readable}")


@lru_cache(maxsize=4096)
def parse_clock(text: str) -> ClockTime:
    """Return a 12- or 24-hour time of day, with or without seconds and offset."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise ValueInvalid("time_invalid", f"{text!r} is no time such as 14:05, 2:05 PM")
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    half = (match["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueInvalid("time_invalid", f"{text!r}: hours go from 1 to 12 with AM or PM")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueInvalid("time_invalid", f"{text!r} is no time of day")
    return ClockTime(time(hour, minute, second), _offset(match["offset"]))


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    match = _OFFSET.fullmatch(text)
    if match is None:
        return UTC
    delta = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    if delta >= timedelta(hours=24):
        raise ValueInvalid("time_invalid", f"{text!r} is no offset")
    return timezone(-delta if match["sign"] == "-" else delta)


def split_moment(text: str, formats: tuple[str, ...]) -> tuple[date, ClockTime]:
    """Return the date and time of a text such as ``2026-03-01 14:05:00`` or RFC 3339."""
    head, _, rest = text.strip().replace("T", " ", 1).partition(" ")
    if not rest:
        raise ValueInvalid("time_invalid", f"{text!r} needs a date and a time")
    return parse_date(head, formats), parse_clock(rest)


def instant_of(day: date, clock: ClockTime, zone: str) -> datetime:
    """Return the UTC instant of a local time; an offset decides where a zone can't."""
    local = datetime.combine(day, clock.at)
    if clock.offset is not None:
        try:
            return local.replace(tzinfo=clock.offset).astimezone(UTC)
        except OverflowError:
            raise ValueInvalid("date_invalid", f"{day} is out of range") from None
    found = resolve_local(local, zone)
    if isinstance(found, LocalTimeProblem):
        happens = "twice" if found is LocalTimeProblem.AMBIGUOUS else "never"
        detail = f"{local:%Y-%m-%d %H:%M:%S} happens {happens} in {zone}; state an offset"
        raise ValueInvalid(found.value, detail)
    return found


def parse_number(text: str, mark: DecimalMark) -> Decimal:
    """Return a decimal number with grouping; ``mark`` says which sign is the decimal one."""
    bare = text.strip().replace("\u00a0", "").replace("\u202f", "").replace("'", "")
    pattern, group = (_COMMA, ".") if mark == "comma" else (_POINT, ",")
    if pattern.fullmatch(bare) is None:
        raise ValueInvalid("number_invalid", f"{text!r} is no number with a decimal {mark}")
    return Decimal(bare.replace(group, "").replace(",", "."))


def parse_amount(text: str, mark: DecimalMark) -> Decimal:
    """Return an amount of money, its currency sign or code ignored."""
    return parse_number(_CURRENCY_TEXT.sub("", text), mark)


def parse_duration(text: str, mark: DecimalMark) -> int:
    """Return whole seconds of ``HH:MM:SS``, ``HH:MM`` or decimal hours (``7.5``, ``7,5 hrs``)."""
    bare = _UNIT.sub("", text.strip())
    match = _H_M_S.fullmatch(bare)
    if match is not None:
        seconds = int(match["hours"]) * SECONDS_PER_HOUR + int(match["minutes"]) * 60
        seconds += int(match["seconds"] or 0)
        return check_seconds(-seconds if match["sign"] else seconds, text)
    try:
        hours = parse_number(bare, mark)
    except ValueInvalid:
        raise ValueInvalid("duration_invalid", f"{text!r} is no duration") from None
    return check_seconds(int((hours * SECONDS_PER_HOUR).to_integral_value()), text)


def check_seconds(seconds: int, text: str) -> int:
    """Return ``seconds`` if one entry can last that long."""
    if seconds < 0:
        raise ValueInvalid("negative_hours", f"{text!r} is less than nothing")
    if seconds > SECONDS_MAX:
        raise ValueInvalid("over_24_hours", f"{text!r} is more than a day")
    return seconds


def parse_flag(text: str, yes: Collection[str], no: Collection[str]) -> bool:
    """Return whether ``text`` means yes."""
    normal = text.strip().casefold()
    if normal in yes:
        return True
    if normal in no:
        return False
    raise ValueInvalid("flag_invalid", f"{text!r} means neither yes nor no here")


def currency_in(text: str) -> str | None:
    """Return the ISO code in a text such as ``Euro - EUR``."""
    found = _ISO_CODE.findall(text)
    return found[-1] if found else None


class DecimalMarkEvidence:
    """Finds out which decimal sign a file uses, from numbers that can be read one way only."""

    def __init__(self) -> None:
        self._point = False
        self._comma = False

    def look(self, cells: Sequence[str]) -> None:
        """Take note of numbers in ``cells``."""
        for cell in cells:
            bare = _CURRENCY_TEXT.sub("", cell)
            self._point = self._point or _POINT_EVIDENCE.fullmatch(bare) is not None
            self._comma = self._comma or _COMMA_EVIDENCE.fullmatch(bare) is not None

    @property
    def mark(self) -> DecimalMark:
        """Return the sign; a point unless commas alone were seen."""
        return "comma" if self._comma and not self._point else "point"
