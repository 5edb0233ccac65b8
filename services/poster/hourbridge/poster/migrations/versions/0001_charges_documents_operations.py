"""Charge sets and charges, documents and their lines, ledger operations, billing runs."""

from __future__ import annotations

from alembic import op

from hourbridge.common.store import shared_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE book_configuration (
        book text PRIMARY KEY,
        version integer NOT NULL,
        configuration text NOT NULL
    )
    """,
    # --- what came from the mapper ---------------------------------------------------------
    # Charges are JSON kept as text: read back whole, never searched, half as dear to write.
    """
    CREATE TABLE charge_set (
        record_id text PRIMARY KEY,
        book text NOT NULL,
        record_type text NOT NULL,
        source text NOT NULL,
        record_revision bigint NOT NULL,
        mapping_version integer NOT NULL,
        outcome text NOT NULL,
        reasons jsonb NOT NULL,
        accepted_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE charge (
        charge_id text PRIMARY KEY,
        record_id text NOT NULL,
        book text NOT NULL,
        engagement_key text NOT NULL,
        group_key text NOT NULL,
        grouping text NOT NULL,
        automatic boolean NOT NULL,
        client text NOT NULL,
        project text,
        work_date date NOT NULL,
        record_revision bigint NOT NULL,
        mapping_version integer NOT NULL,
        state text NOT NULL CHECK (state IN ('unbilled', 'billed', 'withdrawn')),
        changed_at timestamptz NOT NULL,
        leakage jsonb,
        payload text NOT NULL
    )
    """,
    "CREATE INDEX charge_record ON charge (record_id)",
    "CREATE INDEX charge_open ON charge (book, engagement_key, group_key, work_date) "
    "WHERE state = 'unbilled'",
    "CREATE TABLE position (book text PRIMARY KEY, contiguous bigint NOT NULL)",
    "CREATE TABLE position_ahead (book text, sequence bigint, PRIMARY KEY (book, sequence))",
    # --- documents -------------------------------------------------------------------------
    """
    CREATE TABLE billing_run (
        run_id text PRIMARY KEY,
        book text NOT NULL,
        through date NOT NULL,
        sequence bigint NOT NULL,
        client text,
        project text,
        state text NOT NULL CHECK (
            state IN ('waiting', 'completed', 'nothing_to_bill')),
        waits_for text,
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL,
        finished_at timestamptz,
        result jsonb NOT NULL DEFAULT '{}'
    )
    """,
    "CREATE INDEX billing_run_open ON billing_run (requested_at) WHERE state = 'waiting'",
    """
    CREATE TABLE document_number (
        ledger_key text,
        prefix text,
        last bigint NOT NULL,
        PRIMARY KEY (ledger_key, prefix)
    )
    """,
    """
    CREATE TABLE document (
        document_id text PRIMARY KEY,
        book text NOT NULL,
        ledger_key text NOT NULL,
        engagement_key text NOT NULL,
        group_key text NOT NULL,
        billed_through date NOT NULL,
        run_id text,
        kind text NOT NULL,
        status text NOT NULL,
        number text NOT NULL,
        version integer NOT NULL,
        payload_version integer NOT NULL DEFAULT 1,
        proposed_date date,
        in_place_refused boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        payload jsonb NOT NULL,
        UNIQUE (ledger_key, kind, number)
    )
    """,
    "CREATE INDEX document_run ON document (run_id) WHERE run_id IS NOT NULL",
    "CREATE INDEX document_listed ON document (book, status, created_at)",
    """
    CREATE TABLE document_line (
        line_id text PRIMARY KEY,
        document_id text NOT NULL REFERENCES document,
        book text NOT NULL,
        position integer NOT NULL,
        is_live boolean NOT NULL DEFAULT true,
        amount numeric NOT NULL,
        billed_seconds bigint NOT NULL,
        carried_seconds numeric NOT NULL,
        carry_key text,
        fee_key text,
        credits_line_id text,
        supplements_line_id text,
        basis jsonb
    )
    """,
    "CREATE INDEX document_line_document ON document_line (document_id)",
    "CREATE INDEX document_line_carry ON document_line (book, carry_key) "
    "WHERE is_live AND carry_key IS NOT NULL",
    "CREATE INDEX document_line_fee ON document_line (book, fee_key) "
    "WHERE is_live AND fee_key IS NOT NULL",
    "CREATE INDEX document_line_credits ON document_line (credits_line_id) "
    "WHERE is_live AND credits_line_id IS NOT NULL",
    "CREATE INDEX document_line_supplements ON document_line (supplements_line_id) "
    "WHERE is_live AND supplements_line_id IS NOT NULL",
    # The charge as it was billed; null while the charge itself still says the same.
    """
    CREATE TABLE line_charge (
        line_id text NOT NULL REFERENCES document_line,
        charge_id text NOT NULL,
        record_revision bigint NOT NULL,
        is_live boolean NOT NULL DEFAULT true,
        billed text,
        PRIMARY KEY (line_id, charge_id)
    )
    """,
    # Every charge is on at most one live document line; nothing in the program can get round it.
    "CREATE UNIQUE INDEX line_charge_once ON line_charge (charge_id) WHERE is_live",
    """
    CREATE TABLE supplement (
        line_id text PRIMARY KEY REFERENCES document_line,
        book text NOT NULL,
        engagement_key text NOT NULL,
        group_key text NOT NULL,
        grouping text NOT NULL,
        automatic boolean NOT NULL,
        work_date date NOT NULL,
        changed_at timestamptz NOT NULL,
        payload jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE correction_request (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        document_id text NOT NULL,
        available_at timestamptz NOT NULL
    )
    """,
    # --- what is to be written to ledgers ---------------------------------------------------
    """
    CREATE TABLE ledger_operation (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        operation_key text NOT NULL UNIQUE,
        book text NOT NULL,
        ledger_key text NOT NULL,
        document_id text NOT NULL REFERENCES document,
        kind text NOT NULL CHECK (kind IN ('create', 'update', 'restore')),
        generation integer NOT NULL,
        payload_version integer NOT NULL,
        payload jsonb NOT NULL,
        detail jsonb NOT NULL DEFAULT '{}',
        state text NOT NULL CHECK
            (state IN ('pending', 'sending', 'unknown', 'done', 'parked', 'cancelled')),
        uncertain boolean NOT NULL DEFAULT false,
        attempts integer NOT NULL DEFAULT 0,
        available_at timestamptz NOT NULL,
        fencing bigint,
        first_sent_at timestamptz,
        last_sent_at timestamptz,
        error_code text,
        error_text text,
        created_at timestamptz NOT NULL,
        done_at timestamptz
    )
    """,
    "CREATE INDEX ledger_operation_due ON ledger_operation (ledger_key, id) "
    "WHERE state IN ('pending', 'sending', 'unknown')",
    # A document has one open intent at a time.
    "CREATE UNIQUE INDEX ledger_operation_open ON ledger_operation (document_id) "
    "WHERE state IN ('pending', 'sending', 'unknown', 'parked')",
    """
    CREATE TABLE lane (
        ledger_key text PRIMARY KEY,
        state text NOT NULL CHECK (state IN ('open', 'paused', 'parked')),
        available_at timestamptz NOT NULL,
        failures integer NOT NULL,
        code text,
        detail text,
        since timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    shared_tables.create(op)
    for statement in _STATEMENTS:
        op.execute(statement)
