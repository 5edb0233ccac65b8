"""Billing periods over local dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from hourbridge.common.local_time import day_begins


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
    return day_begins(period.last + timedelta(days=1), ZoneInfo(zone))
