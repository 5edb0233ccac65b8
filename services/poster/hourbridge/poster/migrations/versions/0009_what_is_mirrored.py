"""Time activities, one for each live piece of work, and deletions in the ledger."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE ledger_operation DROP CONSTRAINT ledger_operation_kind_check",
    """
    ALTER TABLE ledger_operation ADD CONSTRAINT ledger_operation_kind_check
        CHECK (kind IN ('create', 'update', 'restore', 'apply', 'delete'))
    """,
    # What the mapper wants to stand in the ledger: null once the work is gone. A piece of work has
    # one live document at most, and a document stands for one piece of work.
    """
    CREATE TABLE activity (
        activity_id text PRIMARY KEY,
        record_id text NOT NULL,
        book text NOT NULL,
        record_revision bigint NOT NULL,
        mapping_version integer NOT NULL,
        charge_id text,
        wanted text,
        document_id text UNIQUE REFERENCES document,
        due_at timestamptz
    )
    """,
    "CREATE INDEX activity_record ON activity (record_id)",
    "CREATE INDEX activity_charge ON activity (charge_id) WHERE charge_id IS NOT NULL",
    "CREATE INDEX activity_due ON activity (due_at) WHERE due_at IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
