"""The life of a grant: when its tokens were given and end for good, and connecting by consent."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE connection DROP CONSTRAINT connection_state_check",
    "ALTER TABLE connection ADD CONSTRAINT connection_state_check "
    "CHECK (state IN ('connected', 'broken', 'disconnected'))",
    # The rolling term (refresh_expires_at) begins anew with each refresh, this one never does.
    "ALTER TABLE connection ADD COLUMN refresh_hard_expires_at timestamptz",
    "ALTER TABLE connection ADD COLUMN authorized_at timestamptz",
    "ALTER TABLE connection ADD COLUMN refreshed_at timestamptz",
    "ALTER TABLE connection ADD COLUMN refresh_issued_at timestamptz",
    "ALTER TABLE connection ADD COLUMN authorize_url text",
    "ALTER TABLE connection ADD COLUMN revoke_url text",
    "ALTER TABLE connection ADD COLUMN app_id text",
    # A consent that somebody was sent off to give. Its state is a secret that works once.
    """
    CREATE TABLE authorization_request (
        state text COLLATE "C" PRIMARY KEY,
        name text NOT NULL,
        kind text NOT NULL,
        company_id text,
        api_base_url text NOT NULL,
        token_url text NOT NULL,
        authorize_url text NOT NULL,
        revoke_url text NOT NULL,
        app_id text,
        client_id text NOT NULL,
        client_secret bytea NOT NULL,
        redirect_uri text NOT NULL,
        requested_by text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    # The second bucket: calls that carry many operations have a limit of their own.
    "ALTER TABLE call_budget ADD COLUMN batches_per_minute integer NOT NULL DEFAULT 35 "
    "CHECK (batches_per_minute > 0)",
    "ALTER TABLE call_budget ADD COLUMN batch_tokens double precision NOT NULL DEFAULT 0",
    # What less urgent callers are sure of while more urgent ones use the rest.
    "ALTER TABLE call_budget ADD COLUMN spare_tokens double precision NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
