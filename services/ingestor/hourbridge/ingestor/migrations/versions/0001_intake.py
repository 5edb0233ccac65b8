"""What was received, what was accepted of it, and in which order."""

from alembic import op

from hourbridge.common.store import shared_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    # Every payload as it came, also those that nobody could read. Partitioned by time so that
    # the retention drops whole partitions.
    """
    CREATE TABLE received_payload (
        payload_id uuid NOT NULL,
        received_at timestamptz NOT NULL,
        book text,
        source text,
        channel text NOT NULL CHECK (channel IN ('http', 'amqp', 'file')),
        content_type text,
        sha256 text NOT NULL,
        size_bytes bigint NOT NULL,
        body bytea,
        object_ref text,
        outcome text NOT NULL,
        reasons jsonb NOT NULL DEFAULT '[]',
        event_id text,
        correlation_id text,
        PRIMARY KEY (payload_id, received_at),
        CHECK (body IS NULL OR object_ref IS NULL)
    ) PARTITION BY RANGE (received_at)
    """,
    "CREATE TABLE received_payload_default PARTITION OF received_payload DEFAULT",
    "CREATE INDEX received_payload_refused ON received_payload (received_at) "
    "WHERE outcome IN ('rejected', 'unreadable')",
    # Answers to redelivered HTTP events: the same (source, id) is the same event.
    """
    CREATE TABLE received_event (
        book text NOT NULL,
        source text NOT NULL,
        event_source text NOT NULL,
        event_id text NOT NULL,
        outcome text NOT NULL,
        record_id uuid,
        revision bigint,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (book, source, event_source, event_id)
    )
    """,
    "CREATE INDEX received_event_age ON received_event (received_at)",
    """
    CREATE TABLE record (
        record_id uuid PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        external_id text NOT NULL,
        revision bigint NOT NULL,
        order_key bigint NOT NULL,
        seen_revision bigint NOT NULL,
        stated_as_of bigint NOT NULL,
        content_hash text NOT NULL,
        sequence bigint NOT NULL,
        deleted boolean NOT NULL,
        on_date date,
        state jsonb NOT NULL,
        raw_ref text NOT NULL,
        accepted_at timestamptz NOT NULL,
        correlation_id text,
        merged_into uuid
    )
    """,
    "CREATE INDEX record_window ON record (book, source, record_type, on_date)",
    # Former revisions: the audit of every state change, and what a late redelivery publishes again.
    """
    CREATE TABLE superseded_revision (
        record_id uuid NOT NULL,
        order_key bigint NOT NULL,
        revision bigint NOT NULL,
        sequence bigint NOT NULL,
        content_hash text NOT NULL,
        state jsonb NOT NULL,
        raw_ref text NOT NULL,
        accepted_at timestamptz NOT NULL,
        correlation_id text,
        superseded_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (record_id, revision)
    )
    """,
    """
    CREATE TABLE record_alias (
        book text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        alias text NOT NULL,
        record_id uuid NOT NULL,
        PRIMARY KEY (book, source, record_type, alias)
    )
    """,
    "CREATE INDEX record_alias_target ON record_alias (record_id)",
    "CREATE TABLE book_sequence (book text PRIMARY KEY, last bigint NOT NULL)",
    """
    CREATE TABLE order_kind (
        book text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('version', 'time')),
        PRIMARY KEY (book, source, record_type)
    )
    """,
    """
    CREATE TABLE intake_key (
        key_id text PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        api_key_sha256 text NOT NULL,
        created_at timestamptz NOT NULL,
        created_by text NOT NULL,
        revoked_at timestamptz,
        revoked_by text
    )
    """,
    "CREATE INDEX intake_key_source ON intake_key (book, source)",
    """
    CREATE TABLE intake_source (
        book text NOT NULL,
        source text NOT NULL,
        zone text,
        currency text,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (book, source)
    )
    """,
    """
    CREATE TABLE conflict (
        conflict_id uuid PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        record_type text NOT NULL,
        record_id uuid NOT NULL,
        order_key bigint NOT NULL,
        stored_hash text NOT NULL,
        stored_state jsonb NOT NULL,
        stated_hash text NOT NULL,
        stated_state jsonb NOT NULL,
        raw_ref text NOT NULL,
        opened_at timestamptz NOT NULL,
        decision text NOT NULL DEFAULT 'open'
            CHECK (decision IN ('open', 'taken', 'kept', 'superseded')),
        decided_at timestamptz,
        decided_by text,
        note text
    )
    """,
    "CREATE INDEX conflict_open ON conflict (book, opened_at) WHERE decision = 'open'",
    "CREATE INDEX conflict_record ON conflict (record_id) WHERE decision = 'open'",
    """
    CREATE TABLE import_run (
        reading_id text PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        profile text NOT NULL,
        mode text NOT NULL CHECK (mode IN ('append', 'snapshot')),
        file_name text,
        file_sha256 text NOT NULL,
        as_of timestamptz NOT NULL,
        window_first date,
        window_last date,
        options jsonb NOT NULL,
        header jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('running', 'done')),
        batches_done integer NOT NULL DEFAULT 0,
        rows integer NOT NULL,
        counts jsonb NOT NULL DEFAULT '{}',
        deleted integer NOT NULL DEFAULT 0,
        deletions_withheld text,
        started_at timestamptz NOT NULL,
        started_by text NOT NULL,
        finished_at timestamptz
    )
    """,
    "CREATE INDEX import_run_snapshot ON import_run (book, source, as_of) WHERE mode = 'snapshot'",
    """
    CREATE TABLE import_rejected (
        reading_id text NOT NULL,
        row_number integer NOT NULL,
        cells jsonb NOT NULL,
        reasons jsonb NOT NULL,
        PRIMARY KEY (reading_id, row_number)
    )
    """,
)


def upgrade() -> None:
    shared_tables.create(op)
    for statement in _STATEMENTS:
        op.execute(statement)
