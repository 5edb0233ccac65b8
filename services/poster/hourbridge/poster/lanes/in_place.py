"""When a posted document may be changed where it stands."""

from __future__ import annotations

from datetime import date

from hourbridge.connectors.ledger import LedgerDocument

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
    if current.email_status == _SENT:
        return "document_sent"
    if current.open_balance is None or current.open_balance != current.total:
        return "document_paid"
    if closed_through is not None and current.document_date <= closed_through:
        return "period_closed"
    return None
