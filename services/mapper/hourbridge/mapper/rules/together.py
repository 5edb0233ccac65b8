"""What the parts of one entry come to as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hourbridge.common.messages.events import MappingOutcome, Reason
from hourbridge.mapper.rules.outcome import Mapped

_WEIGHTIEST = (MappingOutcome.PARKED, MappingOutcome.CHARGED, MappingOutcome.SKIPPED)
ZERO_TIME = "zero_time"
"""Why time that comes to nothing is skipped."""


def together(parts: Sequence[Mapped]) -> Mapped:
    """Return the mapping of an entry from those of its parts.

    One part that waits holds up all: an entry is charged as a whole or not at all. Parts that are
    not charged by a rule (the work was free until the month's end, say) leave the others alone.
    """
    if len(parts) == 1:
        return parts[0]
    outcome = min((part.outcome for part in parts), key=_WEIGHTIEST.index)
    return _sum(outcome, [part for part in parts if part.outcome is outcome], parts)


def _sum(outcome: MappingOutcome, telling: Sequence[Mapped], parts: Sequence[Mapped]) -> Mapped:
    first = telling[0]
    is_charged = outcome is MappingOutcome.CHARGED
    reasons = dict.fromkeys(reason for part in telling for reason in part.reasons)
    counted = telling if is_charged else parts
    return replace(
        first,
        reasons=tuple(reasons),
        charges=tuple(charge for part in telling for charge in part.charges),
        worked_seconds=sum(part.worked_seconds for part in counted),
        billable_seconds=sum(part.billable_seconds for part in counted),
        consulted=tuple(dict.fromkeys(key for part in parts for key in part.consulted)),
        work_date=parts[0].work_date,
    )


def refused(mapped: Mapped, refusal: Reason) -> Mapped:
    """Return what becomes of an entry whose time can't be said.

    Work that nobody pays for stays skipped: its time decides nothing.
    """
    codes = [reason.code for reason in mapped.reasons]
    if mapped.outcome is MappingOutcome.SKIPPED and codes != [ZERO_TIME]:
        return mapped
    is_final = refusal.waits_for is None
    missing = tuple(reason for reason in mapped.reasons if reason.waits_for is not None)
    return replace(
        mapped,
        outcome=MappingOutcome.SKIPPED if is_final else MappingOutcome.PARKED,
        reasons=(refusal,) if is_final else (refusal, *missing),
        charges=(),
        billable_seconds=0 if is_final else mapped.billable_seconds,
        work_date=None,
    )
