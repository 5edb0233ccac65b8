"""What an import is told: for whom, through which profile, and what the file doesn't say itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from hourbridge.common.book import ZoneName
from hourbridge.common.messages.fields import BookName, CurrencyCode, Instant, SourceName


class ImportOptions(BaseModel):
    """One import.

    ``as_of`` is when the file was exported: the version of rows that have none of their own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    book: BookName
    source: SourceName
    profile: str
    profile_definition: str | None = None
    """The YAML of a profile of one's own; ``profile`` is then merely its name."""
    mode: Literal["append", "snapshot"] = "append"
    first: date | None = None
    """A snapshot's window: what is missing between ``first`` and ``last`` gets deleted."""
    last: date | None = None
    as_of: Instant | None = None
    zone: ZoneName | None = None
    currency: CurrencyCode | None = None
    date_order: Literal["mdy", "dmy"] | None = None
    decimal: Literal["auto", "point", "comma"] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    gaps: Literal["reject", "keep"] = "reject"
    """Wall times that never were, because clocks went forward over them: reject the row, or keep
    it for the book's time policy. Times that happen twice are always kept for it."""
    filename: str | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _window(self) -> ImportOptions:
        if (self.first is None) != (self.last is None):
            raise ValueError("a window has both a first and a last day")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise ValueError("the window's last day lies before its first")
        if self.mode == "append" and self.first is not None:
            raise ValueError("a window belongs to mode=snapshot")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise ValueError("delimiter must be one character")
        return self

    def as_of_or(self, now: datetime) -> datetime:
        """Return when the file was exported, ``now`` if nobody said."""
        return self.as_of or now
