"""Review: selections, releases, runs undone, and months that the book closed."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    # A selection holds for the version that a person saw.
    """
    CREATE TABLE review_selection (
        document_id text PRIMARY KEY REFERENCES document,
        version integer NOT NULL,
        selected_by text NOT NULL,
        selected_at timestamptz NOT NULL,
        note text NOT NULL
    )
    """,
    "ALTER TABLE billing_run DROP CONSTRAINT billing_run_state_check",
    """
    ALTER TABLE billing_run ADD CONSTRAINT billing_run_state_check CHECK (
        state IN ('waiting', 'completed', 'nothing_to_bill', 'undoing', 'undone'))
    """,
    "CREATE INDEX billing_run_undoing ON billing_run (run_id) WHERE state = 'undoing'",
    "CREATE INDEX billing_run_listed ON billing_run (book, requested_at)",
    # What the undoing of a run did with each of its documents.
    """
    CREATE TABLE undone_document (
        document_id text PRIMARY KEY REFERENCES document,
        run_id text NOT NULL REFERENCES billing_run,
        outcome text NOT NULL CHECK (outcome IN ('withdrawn', 'credited', 'nothing_left')),
        credit_document_id text REFERENCES document,
        undone_by text NOT NULL,
        undone_at timestamptz NOT NULL
    )
    """,
    # What a posted line was assembled from, once a correction made ``billed`` newer than that; and
    # of which record a charge was that left its line: it may be gone since.
    "ALTER TABLE line_charge ADD COLUMN first_billed text, ADD COLUMN record_id text",
    "CREATE INDEX line_charge_left ON line_charge (record_id) WHERE record_id IS NOT NULL",
    """
    CREATE TABLE closed_period (
        book text NOT NULL,
        period text NOT NULL,
        last_day date NOT NULL,
        closed_at timestamptz NOT NULL,
        closed_by text NOT NULL,
        PRIMARY KEY (book, period)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
