"""What is to be written to lists of ledgers and trackers, and told to trackers about documents."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE list_operation (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        operation_key text NOT NULL UNIQUE,
        change_id text NOT NULL UNIQUE,
        -- Which request was heard last: another one about a refused change is a new attempt.
        event_id text NOT NULL,
        generation integer NOT NULL DEFAULT 1,
        book text NOT NULL,
        -- The ledger's key as documents have it, or `source:<connection>`.
        lane_key text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('create', 'update', 'inactivate', 'reactivate', 'mark')),
        list_name text NOT NULL,
        origin text,
        request jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'sending', 'unknown', 'done', 'refused')),
        uncertain boolean NOT NULL DEFAULT false,
        attempts integer NOT NULL DEFAULT 0,
        available_at timestamptz NOT NULL,
        fencing bigint,
        first_sent_at timestamptz,
        last_sent_at timestamptz,
        error_code text,
        error_text text,
        entry jsonb,
        told text,
        created_at timestamptz NOT NULL,
        done_at timestamptz
    )
    """,
    "CREATE INDEX list_operation_due ON list_operation (lane_key, id) "
    "WHERE state IN ('pending', 'sending', 'unknown')",
    # What one thing on the other side stands for here: never two entries.
    "CREATE INDEX list_operation_origin ON list_operation (lane_key, list_name, origin, id)",
    "CREATE INDEX list_operation_listed ON list_operation (book, state, id)",
    # Invoices that were composed in a tracker, which may want to know what became of them.
    """
    CREATE TABLE composed_record (
        record_id text PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        external_id text NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
