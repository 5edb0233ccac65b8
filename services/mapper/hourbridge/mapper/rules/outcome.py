"""What mapping a record results in: an outcome, its reasons and the charges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hourbridge.common.messages.events import (
    Activity,
    Charge,
    MappedPayment,
    MappingOutcome,
    Reason,
)
from hourbridge.mapper.rules.subject import FactKey


@dataclass(frozen=True, slots=True)
class Mapped:
    """The result of mapping one record at one revision under one configuration."""

    outcome: MappingOutcome
    reasons: tuple[Reason, ...] = ()
    charges: tuple[Charge, ...] = ()
    client: str | None = None
    project: str | None = None
    worked_seconds: int = 0
    billable_seconds: int = 0
    consulted: tuple[FactKey, ...] = ()
    payment: MappedPayment | None = None
    activities: tuple[Activity, ...] = ()
    work_date: date | None = None
    """The local day that the work counts on; None where the record's own day stands."""

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Return the keys of all missing facts and rules, each once."""
        if not self.reasons:
            return ()
        keys = (reason.waits_for for reason in self.reasons)
        return tuple(dict.fromkeys(key for key in keys if key is not None))


def parked(code: str, detail: str, waits_for: str) -> Reason:
    """Return why a record waits, and for what."""
    return Reason(code=code, detail=detail, waits_for=waits_for)


def skipped(code: str, detail: str) -> Reason:
    """Return by which rule a record is not charged."""
    return Reason(code=code, detail=detail)
