"""Retainers and their movements; revenue that counts when it isn't invoiced."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE retainer (
        retainer_id text PRIMARY KEY,
        book text NOT NULL,
        client text NOT NULL,
        engagement text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('standard', 'trust', 'non_refundable')),
        currency text NOT NULL,
        customer jsonb NOT NULL,
        ledger jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        UNIQUE (book, client, engagement)
    )
    """,
    # One line of the sub-ledger per document that moves the deposits account. What its document
    # says (date, number, status) is read there; a withdrawn document's movement doesn't count.
    """
    CREATE TABLE retainer_movement (
        movement_id text PRIMARY KEY REFERENCES document (document_id),
        retainer_id text NOT NULL REFERENCES retainer,
        position bigint GENERATED ALWAYS AS IDENTITY,
        kind text NOT NULL CHECK (
            kind IN ('opening', 'receipt', 'application', 'refund', 'forfeit')),
        amount numeric NOT NULL CHECK (amount > 0),
        base_amount numeric NOT NULL,
        counter_base numeric NOT NULL,
        parts jsonb NOT NULL,
        reverses text REFERENCES retainer_movement,
        invoice_id text REFERENCES document (document_id),
        origin text,
        stated_date date NOT NULL,
        by text NOT NULL
    )
    """,
    "CREATE INDEX retainer_movement_listed ON retainer_movement (retainer_id, position)",
    "CREATE INDEX retainer_movement_origin ON retainer_movement (origin) WHERE origin IS NOT NULL",
    # What asks for a look at a retainer. Only ever inserted: whoever asks holds other locks.
    """
    CREATE TABLE retainer_due (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        book text NOT NULL,
        client text NOT NULL,
        engagement text NOT NULL
    )
    """,
    """
    CREATE TABLE retainer_top_up (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        retainer_id text NOT NULL REFERENCES retainer,
        asked_at timestamptz NOT NULL,
        balance numeric NOT NULL,
        amount numeric NOT NULL CHECK (amount > 0),
        met_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX retainer_top_up_open ON retainer_top_up (retainer_id) "
    "WHERE met_at IS NULL",
    # --- when revenue counts -------------------------------------------------------------------
    """
    CREATE TABLE recognition_due (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        book text NOT NULL,
        document_id text NOT NULL
    )
    """,
    # Entries by what they are about: their count is part of the next one's key.
    """
    CREATE TABLE recognition_entry (
        entry_id text PRIMARY KEY REFERENCES document (document_id),
        book text NOT NULL,
        subject text NOT NULL
    )
    """,
    "CREATE INDEX recognition_entry_subject ON recognition_entry (book, subject)",
    """
    CREATE TABLE deferral (
        line_id text PRIMARY KEY,
        book text NOT NULL,
        document_id text NOT NULL REFERENCES document,
        client text NOT NULL,
        first_month date NOT NULL,
        months integer NOT NULL,
        total numeric NOT NULL
    )
    """,
    "CREATE INDEX deferral_book ON deferral (book, document_id)",
    """
    CREATE TABLE deferral_release (
        entry_id text REFERENCES document (document_id),
        line_id text REFERENCES deferral,
        month date NOT NULL,
        amount numeric NOT NULL,
        PRIMARY KEY (entry_id, line_id)
    )
    """,
    "CREATE INDEX deferral_release_line ON deferral_release (line_id)",
    # What each charge is carried at on the unbilled account; nothing once it is invoiced.
    """
    CREATE TABLE recognized_work (
        charge_id text PRIMARY KEY,
        book text NOT NULL,
        client text NOT NULL,
        work_date date NOT NULL,
        amount numeric NOT NULL
    )
    """,
    "CREATE INDEX recognized_work_book ON recognized_work (book) WHERE amount <> 0",
    """
    CREATE TABLE recognized_line (
        line_id text PRIMARY KEY,
        book text NOT NULL,
        document_id text NOT NULL REFERENCES document,
        client text NOT NULL,
        project text,
        recognized numeric NOT NULL,
        gross numeric NOT NULL,
        billed numeric NOT NULL
    )
    """,
    "CREATE INDEX recognized_line_document ON recognized_line (book, document_id)",
    # Which documents belong to an engagement, and which entries settle a document.
    "CREATE INDEX document_retainer ON document (book, (payload ->> 'engagement')) "
    "WHERE payload ? 'engagement'",
    "CREATE INDEX document_settles ON document USING gin "
    "((payload -> 'settles') jsonb_path_ops) WHERE payload -> 'settles' <> '[]'",
    "CREATE INDEX document_credits ON document ((payload ->> 'credits_document_id')) "
    "WHERE payload ? 'credits_document_id'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
