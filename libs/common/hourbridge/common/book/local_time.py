"""Time policy: what local times mean, which day work belongs to, and what midnight does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from hourbridge.common.book.references import ZoneName
from hourbridge.common.messages.fields import Identifier, Payload


def _known_locale(name: str) -> str:
    if name != _DEFAULT_LOCALE:
        from babel import Locale, UnknownLocaleError  # only books that name one pay for it

        try:
            Locale.parse(name, sep="-" if "-" in name else "_")
        except (UnknownLocaleError, ValueError):
            raise ValueError(f"{name!r} is not a locale that CLDR describes") from None
    return name


_DEFAULT_LOCALE = "en_US"
LocaleName = Annotated[str, AfterValidator(_known_locale)]
"""A CLDR locale such as ``de_AT`` or ``en-GB``."""


class StaffZone(Payload):
    """Where a person works, for sources that don't say."""

    staff: Identifier
    zone: ZoneName


class TimePolicy(Payload):
    """How times of the sources are read.

    A nonexistent local time lies in the gap when clocks go forward; an ambiguous one happens
    twice when they go back.
    """

    nonexistent: Literal["reject", "shift", "quarantine"] = "reject"
    """``shift`` moves it forward by the gap's length."""
    ambiguous: Literal["quarantine", "earlier", "later", "reject"] = "quarantine"
    work_day: Literal["stated", "worker", "project", "client", "company"] = "stated"
    """Whose local day work belongs to: as the source states it, or where somebody is."""
    split_at: Literal["never", "midnight", "month_end"] = "never"
    """Where an entry that spans days is cut; uncut work belongs to the day it began."""
    staff_zones: tuple[StaffZone, ...] = ()
    locale: LocaleName = _DEFAULT_LOCALE
    """Of dates, times and money in texts for people (CLDR)."""
