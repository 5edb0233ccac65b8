"""Work that a person took off a document: automatic billing leaves it alone from then on.

It is billed again when somebody asks for a run, or when the work itself changes.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

SET_ASIDE = "set_aside"
"""The cause that such charges carry while they are unbilled."""

_CHARGES = statement(
    """
    SELECT b.charge_id FROM line_charge b JOIN document_line l ON l.line_id = b.line_id
    WHERE l.document_id = :document_id AND b.is_live ORDER BY b.charge_id
    """
)
_MARK = statement(
    """
    UPDATE charge SET leakage = jsonb_build_object('cause', CAST(:cause AS text), 'seconds', 0,
        'amount', '0', 'currency', CAST(payload AS jsonb) ->> 'currency', 'charges', 1)
    WHERE charge_id = ANY(:charges) AND state = 'unbilled'
    """
)


def charges_on(connection: Connection, document_id: str) -> list[str]:
    """Return the charges that a document bills now."""
    return list(connection.execute(_CHARGES, {"document_id": document_id}).scalars())


def set_aside(connection: Connection, charges: Collection[str]) -> None:
    """Mark charges, unbilled by now, as taken off a document by a person."""
    if charges:
        connection.execute(_MARK, {"charges": sorted(charges), "cause": SET_ASIDE})
