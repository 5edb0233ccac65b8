"""Billing periods over local dates, and instants with the text they were stated in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Term(StrEnum):
    """The length of a billing period."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, order=True)
class Period:
    """A span of whole local days, both ends included."""

    first: date
    last: date

    @property
    def label(self) -> str:
        """Return a short name: 2026-03, 2026-Q1, 2026, 2026-W07 or first..last."""
        if self == period_of(self.first, Term.MONTH):
            return f"{self.first:%Y-%m}"
        if self == period_of(self.first, Term.QUARTER):
            return f"{self.first.year}-Q{(self.first.month + 2) // 3}"
        if self == period_of(self.first, Term.YEAR):
            return f"{self.first.year}"
        if self.first == self.last:
            return self.first.isoformat()
        if self == period_of(self.first, Term.WEEK):
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02}"
        return f"{self.first}..{self.last}"

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last


def period_of(day: date, term: Term) -> Period:
    """Return the period of length ``term`` that contains ``day`` (weeks start on Monday)."""
    if term is Term.DAY:
        return Period(day, day)
    if term is Term.WEEK:
        first = day - timedelta(days=day.weekday())
        return Period(first, first + timedelta(days=6))
    months = {Term.MONTH: 1, Term.QUARTER: 3, Term.YEAR: 12}[term]
    first_month = (day.month - 1) // months * months + 1
    first = date(day.year, first_month, 1)
    after = (
        date(day.year + 1, 1, 1)
        if first_month + months > 12
        else date(day.year, first_month + months, 1)
    )
    return Period(first, after - timedelta(days=1))


def cut_off(period: Period, zone: str) -> datetime:
    """Return the instant at which ``period`` is over in ``zone`` (start of the next local day)."""
    following = period.last + timedelta(days=1)
    local = datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


class LocalTimeProblem(StrEnum):
    """Why a wall-clock time does not name one instant."""

    AMBIGUOUS = "ambiguous"
    NONEXISTENT = "nonexistent_local_time"


def resolve_local(naive_wall_time: datetime, zone: str) -> datetime | LocalTimeProblem:
    """Return the UTC instant of a wall-clock time in ``zone``, or why there is none or two.

    The argument carries no zone by definition: it is what a clock on the wall showed.
    """
    info = ZoneInfo(zone)
    earlier = naive_wall_time.replace(tzinfo=info, fold=0)
    later = naive_wall_time.replace(tzinfo=info, fold=1)
    if earlier.utcoffset() == later.utcoffset():
        return earlier.astimezone(UTC)
    there_and_back = earlier.astimezone(UTC).astimezone(info).replace(tzinfo=None)
    if there_and_back != naive_wall_time:
        return LocalTimeProblem.NONEXISTENT
    return LocalTimeProblem.AMBIGUOUS
