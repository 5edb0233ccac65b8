"""Vendor bills, hold-backs and suspected duplicates of expenses."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    # A vendor's own bill number is good for one bill, whatever arrives how often.
    """
    CREATE TABLE vendor_bill_number (
        ledger_key text NOT NULL,
        vendor_key text NOT NULL,
        number text NOT NULL,
        document_id text NOT NULL REFERENCES document,
        PRIMARY KEY (ledger_key, vendor_key, number)
    )
    """,
    # What a record makes us owe waits for a person; one question per record at a time.
    """
    CREATE TABLE payable_hold (
        record_id text PRIMARY KEY,
        book text NOT NULL,
        code text NOT NULL,
        subject text NOT NULL,
        detail text NOT NULL,
        facts text NOT NULL,
        matched jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'kept', 'new', 'distinct', 'duplicate')),
        since timestamptz NOT NULL,
        decided_by text,
        decided_at timestamptz
    )
    """,
    "CREATE INDEX payable_hold_open ON payable_hold (book, since) WHERE state = 'open'",
    "CREATE INDEX charge_payable ON charge (book, engagement_key, group_key, work_date) "
    "WHERE grouping = 'payable' AND state = 'unbilled'",
    # The amounts held back are those of the lines, corrections included; here is whose they are.
    """
    CREATE TABLE holdback (
        line_id text PRIMARY KEY REFERENCES document_line,
        document_id text NOT NULL REFERENCES document,
        book text NOT NULL,
        vendor_key text NOT NULL,
        vendor jsonb NOT NULL,
        currency text NOT NULL,
        bill_date date NOT NULL
    )
    """,
    "CREATE INDEX holdback_book ON holdback (book, vendor_key, bill_date)",
    """
    CREATE TABLE holdback_release (
        document_id text PRIMARY KEY REFERENCES document,
        line_id text NOT NULL REFERENCES holdback,
        book text NOT NULL,
        amount numeric NOT NULL CHECK (amount > 0),
        base_amount numeric NOT NULL,
        released_on date NOT NULL,
        released_by text NOT NULL
    )
    """,
    "CREATE INDEX holdback_release_line ON holdback_release (line_id)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
