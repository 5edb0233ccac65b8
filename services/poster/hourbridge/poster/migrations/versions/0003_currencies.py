"""Exchange rates, payments and revaluations."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # --- rates: published facts, shared by all books that use their source; never changed ------
    """
    CREATE TABLE exchange_rate (
        source text,
        pivot text,
        currency text,
        rate_date date,
        revision integer CHECK (revision > 0),
        value numeric NOT NULL CHECK (value > 0),
        published_at timestamptz,
        fetched_at timestamptz NOT NULL,
        PRIMARY KEY (source, pivot, currency, rate_date, revision)
    )
    """,
    # A reading brought something new: what waits for rates is looked at again.
    "CREATE TABLE rates_arrived (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "source text NOT NULL, at timestamptz NOT NULL)",
    # --- payments as their sources state them --------------------------------------------------
    """
    CREATE TABLE stated_payment (
        record_id text PRIMARY KEY,
        book text NOT NULL,
        revision bigint NOT NULL,
        mapping_version integer NOT NULL,
        client text NOT NULL,
        payment_date date,
        payload text,
        posted text,
        generation integer NOT NULL DEFAULT 0,
        state text NOT NULL CHECK (state IN ('due', 'parked', 'done')),
        reason jsonb,
        changed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX stated_payment_due ON stated_payment (book, payment_date, record_id) "
    "WHERE state = 'due'",
    "CREATE INDEX stated_payment_parked ON stated_payment (book) WHERE state = 'parked'",
    # Open items in other currencies, and those of a client or vendor.
    "CREATE INDEX document_foreign ON document (book, kind) WHERE payload ? 'base_total'",
    "CREATE INDEX document_of_client ON document (book, (payload ->> 'client'), kind) "
    "WHERE kind IN ('invoice', 'vendor_bill', 'journal_entry')",
    # --- month-end revaluation -----------------------------------------------------------------
    """
    CREATE TABLE revaluation_run (
        run_id text PRIMARY KEY,
        book text NOT NULL,
        last_day date NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'parked', 'completed')),
        available_at timestamptz NOT NULL,
        reason jsonb,
        result jsonb NOT NULL DEFAULT '{}',
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL,
        finished_at timestamptz
    )
    """,
    "CREATE INDEX revaluation_run_open ON revaluation_run (requested_at) "
    "WHERE state <> 'completed'",
    "CREATE INDEX revaluation_run_month ON revaluation_run (book, last_day)",
    """
    CREATE TABLE revaluation (
        book text,
        ledger_key text,
        last_day date,
        generation integer,
        content_key text NOT NULL,
        entry_id text REFERENCES document,
        reversal_id text REFERENCES document,
        made_at timestamptz NOT NULL,
        PRIMARY KEY (book, ledger_key, last_day, generation)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
