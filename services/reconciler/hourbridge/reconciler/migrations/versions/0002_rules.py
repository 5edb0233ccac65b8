"""Discounts, tax, currencies, payables and write-downs as seen."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS: tuple[str, ...] = ("ALTER TABLE seen_document ALTER COLUMN customer DROP NOT NULL",)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
