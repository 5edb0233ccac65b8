"""Entries with times, and what they come to."""

from __future__ import annotations

from typing import Any

from hourbridge.common.messages.events import Charge, MappingOutcome
from hourbridge.common.messages.records import TimeEntry
from tests.support.mapping import mapped, time_entry

BERLIN, TOKYO, SYDNEY = "Europe/Berlin", "Asia/Tokyo", "Australia/Sydney"


def timed(start: str, end: str | None, hours: float = 1, **changes: Any) -> TimeEntry:
    """Return an entry with instants."""
    return time_entry(
        work_date=start[:10], start_at=start, end_at=end, input={"seconds": int(hours * 3600)},
        **changes,
    )  # fmt: skip


def by_wall(start: str, end: str | None, hours: float = 1, **changes: Any) -> TimeEntry:
    """Return an entry in Berlin that says only what clocks on walls showed."""
    fields = {
        "work_date": start[:10],
        "original_start_text": start,
        "original_end_text": end,
        "zone": {"iana": BERLIN},
        "input": {"seconds": int(hours * 3600)},
        **changes,
    }
    return time_entry(**fields)


def charges(record: TimeEntry, **changes: Any) -> tuple[Charge, ...]:
    result = mapped(record, **changes)
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    for charge in result.charges:
        assert Charge.model_validate_json(charge.model_dump_json(exclude_none=True)) == charge
    return result.charges


def worked(record: TimeEntry, **changes: Any) -> list[tuple[str, int]]:
    """Return day and worked seconds of each part."""
    found = charges(record, **changes)
    return [(charge.work_date.isoformat(), charge.worked_seconds) for charge in found]
