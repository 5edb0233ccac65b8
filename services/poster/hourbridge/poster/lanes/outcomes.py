"""What one attempt at a ledger write came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from hourbridge.connectors.ledger import LedgerDocument


@dataclass(frozen=True)
class Posted:
    """The ledger has the document, by this attempt or by an earlier one that we adopt."""

    ledger_document: LedgerDocument
    is_adopted: bool = False
    can_link: bool = False
    """The ledger links credits to what they settle, and this write didn't do so."""


@dataclass(frozen=True)
class Unknown:
    """The write may have taken effect; the ledger is searched before it is sent again."""

    code: str
    detail: str


@dataclass(frozen=True)
class Waiting:
    """Certainly no effect: the whole lane waits, nothing about the document is wrong."""

    code: str
    detail: str
    lane: Literal["throttled", "paused", "parked"]
    seconds: float | None = None
    """How long the ledger asked us to wait; None: the lane backs off and probes."""


@dataclass(frozen=True)
class Parked:
    """Refused for a reason that only a person can settle."""

    code: str
    detail: str
    proposed_date: date | None = None
    may_be_in_ledger: bool = False


@dataclass(frozen=True)
class Declined:
    """An update in place or a link is not possible as things stand.

    A credit memo will do what the update would have done; what isn't linked is only said.
    """

    code: str
    detail: str


Outcome = Posted | Unknown | Waiting | Parked | Declined
