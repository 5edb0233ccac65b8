"""Not to exceed: what a client or project may still be billed, and what is cut where it ends.

Caps come from the configuration of the day of billing, never from the charge: raising one makes
billable what it held back. A client's cap and a project's both hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from hourbridge.billing.ownership import client_rule, project_rule
from hourbridge.common.book import (
    BookConfiguration,
    CapPolicy,
    ClientMapping,
    ProjectMapping,
)
from hourbridge.common.calendar import Period, period_of
from hourbridge.common.messages.events import Charge

Kind = Literal["time", "expense", "flat_fee"]
NOTHING = Decimal(0)


@dataclass(frozen=True)
class RoomKey:
    """What fills up: a client's cap, or a project's, in a term."""

    project: str | None = None
    """None: the client's, over all of its projects."""
    period: Period | None = None
    expenses: bool = False
    """Whether expenses count."""


@dataclass(frozen=True)
class Cap:
    """A cap that a charge is under."""

    key: RoomKey
    policy: CapPolicy
    named: str
    """Whose, at which configuration version: ``client:Acme v5``."""


class CapRules:
    """The caps of one configuration version."""

    def __init__(self, configuration: BookConfiguration, version: int) -> None:
        self._configuration = configuration
        self._version = version
        rules: tuple[ClientMapping | ProjectMapping, ...] = (
            *configuration.clients,
            *configuration.projects,
        )
        self._has_caps = any(rule.cap is not None for rule in rules)
        self._found: dict[tuple[str | None, ...], tuple[Cap, ...]] = {}

    def caps_of(self, charge: Charge) -> tuple[Cap, ...]:
        """Return the caps that limit a charge on its day."""
        if not self._has_caps:
            return ()
        day = str(charge.work_date)
        key = (charge.customer.key, charge.client, charge.project, charge.project_rule, day)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = tuple(self._caps(charge))
        return found

    def _caps(self, charge: Charge) -> Iterator[Cap]:
        client = client_rule(self._configuration, charge)
        if client is not None and client.cap is not None:
            yield self._cap(client.cap, charge, None, f"client:{client.client}")
        project = project_rule(self._configuration, charge)
        if project is not None and project.cap is not None:
            owner = f"project:{project.project}"
            yield self._cap(project.cap, charge, charge.project, owner)

    def _cap(self, policy: CapPolicy, charge: Charge, project: str | None, owner: str) -> Cap:
        period = None if policy.term is None else period_of(charge.work_date, policy.term)
        key = RoomKey(project, period, policy.expenses)
        return Cap(key, policy, f"{owner} v{self._version}")


class Rooms:
    """What caps still leave in the course of one run; before tax and after discounts."""

    def __init__(self, billed: Mapping[RoomKey, Decimal]) -> None:
        self._billed = dict(billed)

    def copy(self) -> Rooms:
        """Return rooms that fill up by themselves."""
        return Rooms(self._billed)

    def tightest(self, caps: Iterable[Cap], kind: Kind) -> tuple[Cap, Decimal] | None:
        """Return the cap that leaves the least, and what it leaves; None: any amount."""
        found = [(cap, max(self._left(cap), NOTHING)) for cap in caps if counts(cap.policy, kind)]
        return min(found, key=lambda pair: pair[1], default=None)

    def take(self, caps: Iterable[Cap], kind: Kind, amount: Decimal) -> None:
        """Count what is billed."""
        for cap in caps:
            if counts(cap.policy, kind):
                self._billed[cap.key] = self._billed.get(cap.key, NOTHING) + amount

    def _left(self, cap: Cap) -> Decimal:
        billed = self._billed.get(cap.key, NOTHING) + cap.policy.already_billed
        return cap.policy.amount - billed


@dataclass(frozen=True)
class Limits:
    """The caps of a run, and what they leave when it begins."""

    rules: CapRules
    rooms: Rooms


def counts(policy: CapPolicy, kind: Kind) -> bool:
    """Return whether what is billed for a kind of charge counts."""
    return policy.expenses or kind != "expense"
