"""What rules are made of: effective dates, zones, and names of things in a ledger."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, model_validator

from hourbridge.common.messages.fields import Identifier, LocalDate, Payload
from hourbridge.common.zones import zone_of


def _known_zone(name: str) -> str:
    if zone_of(name) is None:
        raise ValueError(f"{name!r} is not an IANA time zone")
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""An IANA time zone name."""


class Effective(Payload):
    """A rule that holds for dates from ``effective_from`` to ``effective_to``, inclusive."""

    effective_from: LocalDate | None = None
    effective_to: LocalDate | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the rule applies on ``day`` (of the work, or of the document)."""
        return (self.effective_from is None or day >= self.effective_from) and (
            self.effective_to is None or day <= self.effective_to
        )

    @model_validator(mode="after")
    def _ordered(self) -> Effective:
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            raise ValueError("effective_to lies before effective_from")
        return self


class LedgerReference(Payload):
    """A thing in the ledger, by its id there or by its unique name; at least one of the two."""

    id: Identifier | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _some(self) -> LedgerReference:
        if self.id is None and self.name is None:
            raise ValueError("needs an id or a name")
        return self

    @property
    def key(self) -> str:
        """Return a text that identifies the target within its kind."""
        return f"id:{self.id}" if self.id is not None else f"name:{self.name}"
