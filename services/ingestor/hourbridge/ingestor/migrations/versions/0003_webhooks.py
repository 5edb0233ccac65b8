"""Deliveries that were answered and are still to be acted on."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # The body is in received_payload; the headers are what verifying it once more needs.
    """
    CREATE TABLE webhook_waiting (
        payload_id uuid PRIMARY KEY,
        received_at timestamptz NOT NULL,
        app text,
        book text,
        source text,
        headers jsonb NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        not_before timestamptz NOT NULL,
        last_error text,
        CHECK ((app IS NULL) = (book IS NOT NULL AND source IS NOT NULL))
    )
    """,
    "CREATE INDEX webhook_waiting_due ON webhook_waiting (not_before)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
