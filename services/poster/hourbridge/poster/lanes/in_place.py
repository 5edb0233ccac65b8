"""When a posted document may be changed where it stands."""

from __future__ import annotations

from datetime import date

from hourbridge.connectors.ledger import LedgerDocument
from hourbridge.connectors.statements import MIRRORED_KINDS

_SENT = "EmailSent"


def reason_against(
    current: LedgerDocument | None, known_token: str | None, closed_through: date | None
) -> str | None:
    """Return why the document must not be updated in place, None when it may.

    Allowed only while nobody has seen, paid or edited it and its period is open.
    """
    if current is None or current.is_void:
        return "document_missing"
    if current.edit_token != known_token:
        return "edit_token_stale"
    settled = _settled(current)
    if settled is not None:
        return settled
    if closed_through is not None and current.document_date <= closed_through:
        return "period_closed"
    return None


def _settled(current: LedgerDocument) -> str | None:
    """Return why others count on the document as it is: sent, paid, or billed to a customer."""
    if current.email_status == _SENT:
        return "document_sent"
    if current.kind in MIRRORED_KINDS:
        return "time_billed" if current.is_billed else None
    is_open = current.open_balance is not None and current.open_balance == current.total
    return None if is_open else "document_paid"
