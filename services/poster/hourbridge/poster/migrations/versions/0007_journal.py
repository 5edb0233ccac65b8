"""The double entry of every posted effect."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    # Append only: what is wrong is taken back by an entry of its own, once.
    """
    CREATE TABLE journal_entry (
        sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        entry_id text NOT NULL UNIQUE,
        book text NOT NULL,
        document_id text NOT NULL,
        document_version integer NOT NULL,
        reverses_entry_id text UNIQUE REFERENCES journal_entry (entry_id),
        entry_date date NOT NULL,
        payload jsonb NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX journal_entry_document "
    "ON journal_entry (document_id, document_version, (reverses_entry_id IS NULL))",
    "CREATE INDEX journal_entry_dated ON journal_entry (book, entry_date, sequence)",
    """
    CREATE TABLE journal_posting (
        entry_id text NOT NULL REFERENCES journal_entry (entry_id),
        position integer NOT NULL,
        book text NOT NULL,
        entry_date date NOT NULL,
        account text NOT NULL,
        role text NOT NULL,
        client text NOT NULL,
        currency text NOT NULL,
        base_currency text NOT NULL,
        amount numeric NOT NULL,
        base_amount numeric NOT NULL,
        PRIMARY KEY (entry_id, position)
    )
    """,
    "CREATE INDEX journal_posting_dated ON journal_posting (book, entry_date)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
