"""Published exchange rates: immutable facts, by source, day and revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from hourbridge.common.errors import Disposition, HourbridgeError


class RateMissing(HourbridgeError):
    """No rate was published for a day that an amount needs one of."""

    code = "no_rate"
    disposition = Disposition.PARK
    advice = "Import the source's rates; what waits for them goes on by itself."


class RatesInvalid(HourbridgeError):
    """A file of rates can't be read as what it is said to be; nothing of it was taken."""

    code = "rates_invalid"
    advice = "Give the file as the source publishes it: eurofxref CSV, its zip, or XML."


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """What a source states for a day: units of ``currency`` per unit of its pivot currency."""

    rate_date: date
    currency: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class RateRecord:
    """A published rate as it is kept. A correction is another record, never a change."""

    source: str
    pivot: str
    currency: str
    rate_date: date
    revision: int
    """1 for what was published first; each later correction counts one up."""
    value: Decimal
    published_at: datetime | None = None
    fetched_at: datetime | None = None

    @property
    def rate_id(self) -> str:
        """Return the name of this record; documents keep it with the value that they used."""
        day = self.rate_date.isoformat()
        return f"{self.source}:{self.pivot}-{self.currency}:{day}:{self.revision}"


class RateProvider(Protocol):
    """A reading of one source of rates: a file, a feed."""

    @property
    def source(self) -> str:
        """The name by which books choose this source (``currencies.source``)."""
        ...

    @property
    def pivot(self) -> str:
        """The currency that all rates of this source are quoted against."""
        ...

    def rates(self) -> Iterator[PublishedRate]:
        """Yield every rate that was published; days and currencies without one are left out.

        Raises RatesInvalid when the reading isn't what it is said to be.
        """
        ...


def new_revision(
    known: Iterable[RateRecord], value: Decimal, published_at: datetime | None
) -> int | None:
    """Return the revision that a stated value would be, None if it says nothing new.

    ``known`` are the records of its source, currency and day. Where both times are known the later
    publication counts. Where one isn't, a value that was known before is no correction: reading an
    old file again must not undo what was corrected since.
    """
    records = sorted(known, key=lambda record: record.revision)
    if not records:
        return 1
    newest = records[-1]
    if published_at is not None and newest.published_at is not None:
        is_new = published_at > newest.published_at and value != newest.value
    else:
        is_new = all(record.value != value for record in records)
    return newest.revision + 1 if is_new else None
