"""Quarantined local times and their releases."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Where a person works, as the source's staff data says.
    "ALTER TABLE source_fact ADD COLUMN zone text",
    # What a person said a wall time means that happens twice or never. It holds as long as the
    # record states these very texts, whatever else of it changes.
    """
    CREATE TABLE local_time_decision (
        book text COLLATE "C" NOT NULL,
        record_id text COLLATE "C" NOT NULL,
        start_text text NOT NULL,
        end_text text NOT NULL,
        start_fold text NOT NULL CHECK (start_fold IN ('earlier', 'later')),
        end_fold text CHECK (end_fold IN ('earlier', 'later')),
        decided_at timestamptz NOT NULL,
        decided_by text NOT NULL,
        note text,
        PRIMARY KEY (book, record_id, start_text, end_text)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
