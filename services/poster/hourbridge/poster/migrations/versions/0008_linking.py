"""Posted credits are linked to what they settle by an operation of their own."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE ledger_operation DROP CONSTRAINT ledger_operation_kind_check",
    """
    ALTER TABLE ledger_operation ADD CONSTRAINT ledger_operation_kind_check
        CHECK (kind IN ('create', 'update', 'restore', 'apply'))
    """,
    # What waits for a document to be posted is found by what it settles.
    """
    CREATE INDEX ledger_operation_settles ON ledger_operation USING gin ((payload -> 'settles'))
        WHERE state = 'parked'
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
