"""The Marker protocol: telling a source what became of what it stated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, Protocol

MarkKind = Literal["posted", "invoice_posted", "paid"]


@dataclass(frozen=True)
class Mark:
    """One thing to be told about an entry or invoice of the source. Telling it again is harmless.

    Amounts are in the invoice's currency.
    """

    operation_key: str
    kind: MarkKind
    external_id: str
    """The source's own id of the entry or invoice."""
    number: str
    """The document's number in the ledger."""
    ledger_id: str
    total: Decimal
    currency: str
    on: date
    """When it was posted, or last paid."""
    paid: Decimal = Decimal(0)
    """How much of it is paid."""
    is_repeat: bool = False
    """Told before with an unknown outcome."""


class Marker(Protocol):
    """Writes posting states back to a source that declares them (``SourceCapabilities.marks``).

    Errors are those of the source's side (SourceError and below). An entry that the source has no
    more raises SourceRefused with ``reason_code="entry_missing"``.
    """

    def mark(self, mark: Mark) -> None:
        """Tell one thing; safe to repeat."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
