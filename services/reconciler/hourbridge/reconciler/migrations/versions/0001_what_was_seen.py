"""What the reconciler has seen of the flow, and what it found wrong.

Revision ID: 0001
"""

from alembic import op

from hourbridge.common.store import shared_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE seen_record (
        book text NOT NULL,
        record_id text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        revision bigint NOT NULL,
        sequence bigint NOT NULL,
        work_date date,
        client text,
        project text,
        worked_seconds bigint,
        billable_seconds bigint,
        amount numeric,
        currency text,
        approval text,
        billable_state text,
        deleted boolean NOT NULL,
        accepted_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (book, record_id)
    )
    """,
    """
    CREATE TABLE seen_charge_set (
        book text NOT NULL,
        record_id text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        revision bigint NOT NULL,
        mapping_version bigint NOT NULL,
        outcome text NOT NULL,
        reason_code text,
        waits_for text,
        work_date date,
        client text,
        project text,
        worked_seconds bigint NOT NULL,
        billable_seconds bigint NOT NULL,
        deleted boolean NOT NULL,
        accepted_at timestamptz NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (book, record_id)
    )
    """,
    # A charge counts while its revision and mapping version are those of its record's set, so
    # that a replaced set needs no deletes on the way in.
    """
    CREATE TABLE seen_charge (
        book text NOT NULL,
        charge_id text NOT NULL,
        record_id text NOT NULL,
        revision bigint NOT NULL,
        mapping_version bigint NOT NULL,
        kind text NOT NULL,
        workflow text NOT NULL,
        client text NOT NULL,
        project text,
        work_date date NOT NULL,
        worked_seconds bigint NOT NULL,
        billable_seconds bigint NOT NULL,
        rate numeric,
        amount numeric,
        currency text NOT NULL,
        flat_fee_amount numeric,
        flat_fee_term text,
        flat_fee_key text,
        increment_seconds integer NOT NULL,
        minimum_seconds integer NOT NULL,
        rounding_mode text NOT NULL,
        rounding_scope text NOT NULL,
        grouping_policy text NOT NULL,
        PRIMARY KEY (book, charge_id)
    )
    """,
    """
    CREATE TABLE seen_document (
        book text NOT NULL,
        document_id text NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL,
        status text NOT NULL,
        number text NOT NULL,
        generation integer NOT NULL,
        ledger jsonb NOT NULL,
        ledger_connection text NOT NULL,
        customer jsonb NOT NULL,
        job jsonb,
        client text NOT NULL,
        currency text NOT NULL,
        document_date date NOT NULL,
        period text,
        total numeric NOT NULL,
        lines_key text NOT NULL,
        credits_document_id text,
        configuration_version bigint NOT NULL,
        cut_off_at timestamptz,
        ledger_id text,
        edit_token text,
        posted_total numeric,
        posted_at timestamptz,
        reason_code text,
        seen_at timestamptz NOT NULL,
        timed_at timestamptz,
        PRIMARY KEY (book, document_id)
    )
    """,
    "CREATE INDEX seen_document_untimed ON seen_document (posted_at) "
    "WHERE status = 'posted' AND timed_at IS NULL",
    "CREATE INDEX seen_document_number ON seen_document (book, number)",
    # Lines never change: other lines of the same document have another lines_key.
    """
    CREATE TABLE document_line (
        book text NOT NULL,
        document_id text NOT NULL,
        lines_key text NOT NULL,
        line_id text NOT NULL,
        position integer NOT NULL,
        item jsonb,
        service_date date,
        quantity numeric NOT NULL,
        unit_price numeric NOT NULL,
        amount numeric NOT NULL,
        billed_seconds bigint NOT NULL,
        worked_seconds bigint NOT NULL,
        client text,
        project text,
        charge_ids text[] NOT NULL,
        credits_line_id text,
        supplements_line_id text,
        PRIMARY KEY (book, document_id, lines_key, line_id)
    )
    """,
    """
    CREATE TABLE sequence_range (
        book text NOT NULL,
        stream text NOT NULL CHECK (stream IN ('accepted', 'covered')),
        first bigint NOT NULL,
        last bigint NOT NULL,
        seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        PRIMARY KEY (book, stream, first, last)
    )
    """,
    """
    CREATE TABLE source_reading (
        book text NOT NULL,
        reading_id text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        as_of timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        window_first date,
        window_last date,
        is_snapshot boolean NOT NULL,
        rows bigint NOT NULL,
        seconds bigint,
        totals jsonb NOT NULL,
        outcomes jsonb NOT NULL,
        seen_at timestamptz NOT NULL,
        PRIMARY KEY (book, reading_id)
    )
    """,
    """
    CREATE TABLE book_configuration (
        book text PRIMARY KEY,
        version bigint NOT NULL,
        configuration jsonb NOT NULL,
        applied_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE ledger_snapshot (
        book text NOT NULL,
        ledger_connection text NOT NULL,
        kind text NOT NULL,
        ledger_id text NOT NULL,
        run_id bigint NOT NULL,
        number text,
        customer_id text,
        currency text,
        document_date date NOT NULL,
        total numeric NOT NULL,
        open_balance numeric,
        edit_token text NOT NULL,
        lines jsonb NOT NULL,
        marked_document_id text,
        updated_at timestamptz,
        is_ours boolean NOT NULL,
        is_void boolean NOT NULL,
        PRIMARY KEY (book, ledger_connection, kind, ledger_id)
    )
    """,
    """
    CREATE TABLE reconciliation_run (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        book text NOT NULL,
        asked_by text NOT NULL,
        started_at timestamptz NOT NULL,
        finished_at timestamptz,
        positions jsonb,
        totals jsonb,
        totals_hash text,
        ledgers jsonb,
        found integer,
        opened integer,
        resolved integer
    )
    """,
    "CREATE INDEX reconciliation_run_book ON reconciliation_run (book, id)",
    """
    CREATE TABLE discrepancy (
        id text PRIMARY KEY,
        book text NOT NULL,
        cause text NOT NULL,
        level text NOT NULL,
        scope text NOT NULL,
        subject text NOT NULL,
        expected text,
        found text,
        difference_seconds bigint,
        difference_amount numeric,
        currency text,
        client text,
        project text,
        period text,
        detail jsonb NOT NULL,
        opened_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        times_opened integer NOT NULL DEFAULT 1,
        accepted_as text,
        resolved_at timestamptz,
        resolution text
    )
    """,
    "CREATE INDEX discrepancy_open ON discrepancy (book, cause) WHERE resolved_at IS NULL",
)

_VIEWS = (
    """
    CREATE VIEW current_charge AS
    SELECT c.*, s.accepted_at, s.source, s.record_type
    FROM seen_charge c
    JOIN seen_charge_set s USING (book, record_id, revision, mapping_version)
    WHERE s.outcome = 'charged' AND NOT s.deleted
    """,
    """
    CREATE VIEW live_line AS
    SELECT l.*, d.kind, d.status, d.number, d.client AS document_client, d.currency,
           d.document_date, d.period, d.posted_at, d.seen_at, d.ledger_connection, d.ledger_id
    FROM document_line l JOIN seen_document d USING (book, lines_key)
    WHERE d.status <> 'withdrawn'
    """,
    # A line names the charges that it bills now: one that left it is free. Lines that correct
    # another name none.
    """
    CREATE VIEW billed_charge AS
    SELECT book, document_id, line_id, status, kind, number, currency, posted_at,
           unnest(charge_ids) AS charge_id
    FROM live_line
    """,
)


def upgrade() -> None:
    shared_tables.create(op)
    for statement in (*_TABLES, *_VIEWS):
        op.execute(statement)
