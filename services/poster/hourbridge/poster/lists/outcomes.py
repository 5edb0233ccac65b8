"""What one attempt at a change of a list came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hourbridge.common.messages.records import ListEntry


@dataclass(frozen=True)
class Done:
    """The system holds what was wanted, by this attempt or by an earlier one."""

    entry: ListEntry | None
    """None for marks."""
    is_adopted: bool = False


@dataclass(frozen=True)
class Refused:
    """The system said no for a reason that somebody else has to deal with."""

    code: str
    detail: str
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Unsure:
    """The write may have taken effect; the next attempt looks before it creates."""

    code: str
    detail: str


@dataclass(frozen=True)
class Waits:
    """The whole lane waits; nothing about the change is wrong."""

    code: str
    detail: str
    lane: Literal["throttled", "paused", "parked"]
    seconds: float | None = None
    """How long the system asked us to wait; None: the lane backs off."""
    may_have_happened: bool = False


ListOutcome = Done | Refused | Unsure | Waits
