"""What pricing adds to documents and lines: caps, discounts, adjustments, tax."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # What caps add up, and what credits take back of the tax.
    "ALTER TABLE document_line ADD COLUMN tax_amount numeric NOT NULL DEFAULT 0",
    "ALTER TABLE document_line ADD COLUMN tax_code text",
    "ALTER TABLE document_line ADD COLUMN project text",
    "ALTER TABLE document_line ADD COLUMN service_date date",
    "ALTER TABLE document_line ADD COLUMN charge_kind text "
    "CHECK (charge_kind IN ('time', 'expense', 'flat_fee'))",
    "CREATE INDEX document_of_engagement ON document (book, engagement_key)",
    # Lines that were made before these columns: their documents know.
    """
    UPDATE document_line l SET tax_code = d.line ->> 'tax_code', project = d.line ->> 'project',
        service_date = CAST(d.line ->> 'service_date' AS date),
        charge_kind = coalesce(l.basis ->> 'kind', 'time')
    FROM (
        SELECT jsonb_array_elements(payload -> 'lines') AS line FROM document
        WHERE kind IN ('invoice', 'credit_memo')
    ) AS d
    WHERE l.line_id = d.line ->> 'line_id'
    """,
    # Why a supplement is still held: its cap left no room.
    "ALTER TABLE supplement ADD COLUMN leakage jsonb",
    # A document that isn't in the ledger yet may still be made anew, with all of its work: only
    # then does anything supplement its lines.
    """
    CREATE VIEW offered_supplement AS
    SELECT s.* FROM supplement s
    JOIN document_line l ON l.line_id = s.line_id
    JOIN document d ON d.document_id = l.document_id
    WHERE d.payload ? 'posted'
    """,
    # The newest mapping of a record whose posted charges it may not touch: it holds for them as
    # soon as they are unbilled again.
    "ALTER TABLE charge_set ADD COLUMN waiting text",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
