"""What a newer charge set does to the charges that are held of its record: a pure decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hourbridge.common.messages.events import Charge, ChargeSetChanged

ChargeState = Literal["unbilled", "billed", "withdrawn"]


@dataclass(frozen=True)
class HeldCharge:
    """A charge as stored, and the live document line that it is on."""

    charge_id: str
    state: ChargeState
    billed_revision: int | None = None
    """The record's revision that the line reflects; None when the charge is on no line."""
    document_id: str | None = None
    is_posted: bool = False
    """The document is in the ledger or on its way there."""
    is_payable: bool = False
    """It is owed to a vendor, not billed to a client."""

    @property
    def is_on_line(self) -> bool:
        """Return whether a live document line bills this charge."""
        return self.billed_revision is not None


@dataclass(frozen=True)
class Decision:
    """Rows to write, rows to drop, and documents that no longer say what they should."""

    written: tuple[tuple[Charge, ChargeState], ...] = ()
    withdrawn: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    corrections: frozenset[str] = frozenset()
    is_settled: bool = False
    """The set may not touch what is posted (of one side); it holds once that is unbilled again."""


def decide(changed: ChargeSetChanged, held: Sequence[HeldCharge]) -> Decision:
    """Return what replacing the record's charges by ``changed`` means.

    A new mapping of an unchanged record never touches posted work: as soon as one of the
    record's charges is posted at this revision, all of them stay as they are. What we owe a vendor
    and what the client pays are posted apart, so this holds for each side by itself.
    """
    owed = [charge for charge in changed.charges if charge.payable is not None]
    billed = [charge for charge in changed.charges if charge.payable is None]
    revision = changed.record_revision
    return _both(
        _replaced(revision, billed, [charge for charge in held if not charge.is_payable]),
        _replaced(revision, owed, [charge for charge in held if charge.is_payable]),
    )


def _both(one: Decision, other: Decision) -> Decision:
    return Decision(
        written=one.written + other.written,
        withdrawn=one.withdrawn + other.withdrawn,
        dropped=one.dropped + other.dropped,
        corrections=one.corrections | other.corrections,
        is_settled=one.is_settled or other.is_settled,
    )


def _replaced(revision: int, charges: Sequence[Charge], held: Sequence[HeldCharge]) -> Decision:
    if any(_is_settled(charge, revision) for charge in held):
        return Decision(is_settled=True)
    by_id = {charge.charge_id: charge for charge in held}
    written: list[tuple[Charge, ChargeState]] = []
    for charge in charges:
        known = by_id.pop(charge.charge_id, None)
        on_line = known is not None and known.is_on_line
        written.append((charge, "billed" if on_line else "unbilled"))
    touched = {charge.document_id for charge in held if charge.document_id is not None}
    return Decision(
        written=tuple(written),
        withdrawn=tuple(c.charge_id for c in by_id.values() if c.is_on_line),
        dropped=tuple(c.charge_id for c in by_id.values() if not c.is_on_line),
        corrections=frozenset(touched),
    )


def _is_settled(charge: HeldCharge, revision: int) -> bool:
    return (
        charge.is_posted
        and charge.billed_revision is not None
        and charge.billed_revision >= revision
    )
