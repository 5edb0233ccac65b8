"""Connections to sources: systems that are read. Their call budgets share the ledgers' table."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Secrets are one sealed JSON object (Fernet); settings are not secret.
    """
    CREATE TABLE source_connection (
        name text COLLATE "C" PRIMARY KEY,
        system text NOT NULL,
        account text NOT NULL,
        api_base_url text NOT NULL,
        settings jsonb NOT NULL DEFAULT '{}',
        secrets bytea NOT NULL,
        state text NOT NULL DEFAULT 'connected' CHECK (state IN ('connected', 'broken')),
        state_reason text,
        changed_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (system, account)
    )
    """,
    # A budget belongs to a ledger's connection or, as `source:<name>`, to a source's.
    "ALTER TABLE call_budget DROP CONSTRAINT call_budget_connection_fkey",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
