"""Connections with their tokens, and the call budget of each."""

from alembic import op

from hourbridge.common.store import shared_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Columns of type bytea are encrypted (Fernet); the rest is not secret.
    """
    CREATE TABLE connection (
        name text COLLATE "C" PRIMARY KEY,
        kind text NOT NULL,
        company_id text NOT NULL,
        api_base_url text NOT NULL,
        token_url text NOT NULL,
        client_id text NOT NULL,
        client_secret bytea NOT NULL,
        refresh_token bytea NOT NULL,
        previous_refresh_token bytea,
        refresh_expires_at timestamptz,
        access_token bytea,
        access_expires_at timestamptz,
        refreshes bigint NOT NULL DEFAULT 0,
        operation_memory_seconds integer CHECK (operation_memory_seconds >= 0),
        state text NOT NULL DEFAULT 'connected' CHECK (state IN ('connected', 'broken')),
        state_reason text,
        changed_at timestamptz NOT NULL DEFAULT now(),
        -- One connection per company: two would rotate each other's refresh tokens away.
        UNIQUE (kind, company_id)
    )
    """,
    """
    CREATE TABLE call_budget (
        connection text COLLATE "C" PRIMARY KEY REFERENCES connection ON DELETE CASCADE,
        calls_per_minute integer NOT NULL CHECK (calls_per_minute > 0),
        calls_per_second integer NOT NULL CHECK (calls_per_second > 0),
        minute_tokens double precision NOT NULL DEFAULT 0,
        second_tokens double precision NOT NULL DEFAULT 0,
        drawn_at timestamptz NOT NULL DEFAULT now(),
        paused_until timestamptz
    )
    """,
)


def upgrade() -> None:
    shared_tables.create(op)
    for statement in _STATEMENTS:
        op.execute(statement)
