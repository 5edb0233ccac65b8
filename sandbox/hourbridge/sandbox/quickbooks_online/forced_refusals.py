"""Faults of the catalogue on demand: the next calls of a resource are refused with a code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hourbridge.sandbox.quickbooks_online.fault_catalogue import refusal_of
from hourbridge.sandbox.quickbooks_online.refusals import Refusal

_SUBJECTS = ("writes", "reads", "all", "batch_items")


@dataclass
class Forced:
    """One fault that is to come."""

    code: str
    next: int = 1
    """How many calls it befalls; -1: all until it is taken back."""
    on: str = "writes"
    resource: str = ""
    """Only calls of this resource, in lower case; empty: all."""
    realm: str = ""
    detail: str | None = None
    status: int | None = None
    """Another status than the usual one; 200 imitates the rare success that carries a fault."""

    def befalls(self, subject: str, resource: str, realm: str) -> bool:
        """Return whether a call is to be refused."""
        fits_subject = self.on == subject or (self.on == "all" and subject != "batch_items")
        return (
            self.next != 0
            and fits_subject
            and self.resource in ("", resource)
            and self.realm in ("", realm)
        )


class ForcedRefusals:
    """What is to be refused. Not locked; the world that holds it is."""

    def __init__(self) -> None:
        self._waiting: list[Forced] = []

    def add(self, values: Mapping[str, Any]) -> None:
        """Set one fault; raises ValueError for an unknown code, field or subject."""
        unknown = set(values) - set(Forced.__dataclass_fields__)
        if unknown or "code" not in values:
            raise ValueError(f"needs code; unknown: {sorted(unknown)}")
        forced = Forced(**values)
        refusal_of(forced.code)
        if forced.on not in _SUBJECTS:
            raise ValueError(f"on is one of {', '.join(_SUBJECTS)}")
        self._waiting.append(forced)

    def clear(self) -> None:
        """Refuse nothing any more."""
        self._waiting.clear()

    def draw(self, subject: str, resource: str, realm: str) -> Refusal | None:
        """Return the fault that befalls a call, if one does."""
        for forced in self._waiting:
            if forced.befalls(subject, resource, realm):
                forced.next -= 1 if forced.next > 0 else 0
                return refusal_of(forced.code, detail=forced.detail, status=forced.status)
        return None

    def as_list(self) -> list[dict[str, Any]]:
        """Return what is still to come."""
        return [asdict(forced) for forced in self._waiting if forced.next != 0]
