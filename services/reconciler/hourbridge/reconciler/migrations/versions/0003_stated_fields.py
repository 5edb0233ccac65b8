"""What documents state beside customer, amounts and lines: employees, accounts, own fields."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE seen_document ADD COLUMN stated jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE ledger_snapshot ADD COLUMN stated jsonb NOT NULL DEFAULT '{}'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
