"""Book configurations, mapped records, source facts and remap tasks."""

from alembic import op

from hourbridge.common.store import shared_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE book_configuration (
        book text COLLATE "C" NOT NULL,
        version bigint NOT NULL CHECK (version >= 1),
        document jsonb NOT NULL,
        applied_at timestamptz NOT NULL,
        applied_by text NOT NULL,
        note text,
        cause text NOT NULL CHECK (cause IN ('applied', 'facts')),
        PRIMARY KEY (book, version)
    )
    """,
    """
    CREATE FUNCTION refuse_configuration_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'versions of a book configuration are immutable'; END $$
    """,
    """
    CREATE TRIGGER book_configuration_immutable BEFORE UPDATE OR DELETE OR TRUNCATE
    ON book_configuration FOR EACH STATEMENT EXECUTE FUNCTION refuse_configuration_change()
    """,
    # Collation C: the lock order of rows is the same in SQL and in Python. The JSON of state and
    # charge set is kept as text: it is read back whole, and jsonb doubles the statement's cost.
    """
    CREATE TABLE mapped_record (
        book text COLLATE "C" NOT NULL,
        record_id text COLLATE "C" NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        revision bigint NOT NULL,
        sequence bigint NOT NULL,
        mapping_version bigint NOT NULL,
        outcome text NOT NULL,
        reason_code text,
        waits_for text[] NOT NULL,
        depends_on text[] NOT NULL,
        state text NOT NULL,
        charge_set text NOT NULL,
        accepted_at timestamptz NOT NULL,
        work_date date,
        outcome_since timestamptz NOT NULL,
        PRIMARY KEY (book, record_id)
    )
    """,
    # A fifth less time per record where the server was built with it.
    """
    DO $$ BEGIN
        ALTER TABLE mapped_record
            ALTER state SET COMPRESSION lz4, ALTER charge_set SET COMPRESSION lz4;
    EXCEPTION WHEN feature_not_supported THEN NULL;
    END $$
    """,
    # Few records are parked or depend on facts: partial indexes cost the others nothing.
    """
    CREATE INDEX mapped_record_parked ON mapped_record (book, record_id)
    WHERE outcome = 'parked'
    """,
    """
    CREATE INDEX mapped_record_parked_id ON mapped_record (record_id)
    WHERE outcome = 'parked'
    """,
    """
    CREATE INDEX mapped_record_waits_for ON mapped_record USING gin (waits_for)
    WHERE outcome = 'parked'
    """,
    """
    CREATE INDEX mapped_record_depends_on ON mapped_record USING gin (depends_on)
    WHERE depends_on <> '{}'
    """,
    """
    CREATE TABLE source_fact (
        book text COLLATE "C" NOT NULL,
        source text COLLATE "C" NOT NULL,
        kind text NOT NULL,
        external_id text COLLATE "C" NOT NULL,
        record_id text NOT NULL,
        revision bigint NOT NULL,
        name text NOT NULL,
        client_id text,
        client_name text,
        PRIMARY KEY (book, source, kind, external_id)
    )
    """,
    """
    CREATE TABLE fact_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        book text COLLATE "C" NOT NULL,
        dependency text NOT NULL
    )
    """,
    """
    CREATE TABLE remap_task (
        book text COLLATE "C" NOT NULL,
        version bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('all', 'facts')),
        dependencies text[] NOT NULL DEFAULT '{}',
        phase text NOT NULL CHECK (phase IN ('parked', 'rest')),
        cursor text COLLATE "C" NOT NULL DEFAULT '',
        state text NOT NULL CHECK (state IN ('open', 'done', 'superseded')),
        examined bigint NOT NULL DEFAULT 0,
        changed bigint NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        PRIMARY KEY (book, version)
    )
    """,
    "CREATE INDEX remap_task_open ON remap_task (created_at) WHERE state = 'open'",
)


def upgrade() -> None:
    shared_tables.create(op)
    for statement in _STATEMENTS:
        op.execute(statement)
