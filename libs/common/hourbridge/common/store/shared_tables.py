"""The tables that every service's schema has; created by its first migration."""

from __future__ import annotations

from typing import Any

_STATEMENTS = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT now(),
        exchange text NOT NULL,
        routing_key text NOT NULL,
        message_id text NOT NULL,
        type text NOT NULL,
        correlation_id text,
        content_type text NOT NULL,
        headers jsonb NOT NULL,
        body text NOT NULL
    )
    """,
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        message_source text NOT NULL,
        message_id text NOT NULL,
        received_on date NOT NULL,
        outgoing jsonb NOT NULL,
        PRIMARY KEY (consumer, message_source, message_id, received_on)
    ) PARTITION BY RANGE (received_on)
    """,
    "CREATE TABLE inbox_default PARTITION OF inbox DEFAULT",
    """
    CREATE TABLE lease (
        name text PRIMARY KEY,
        holder text NOT NULL,
        fencing bigint NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE dead_message (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        archived_at timestamptz NOT NULL DEFAULT now(),
        queue text NOT NULL,
        message_id text,
        type text,
        exchange text NOT NULL,
        routing_key text NOT NULL,
        book text,
        headers jsonb NOT NULL,
        body bytea NOT NULL,
        content_key text NOT NULL,
        cause text NOT NULL,
        error_text text NOT NULL,
        attempts integer NOT NULL,
        first_failed_at timestamptz,
        state text NOT NULL DEFAULT 'dead' CHECK (state IN ('dead', 'replayed', 'discarded')),
        edited_body bytea,
        decided_by text,
        decided_at timestamptz,
        decision_note text
    )
    """,
    # Duplicates of an undecided dead letter are one row; one that died again is a new row.
    "CREATE UNIQUE INDEX dead_message_content ON dead_message (content_key) WHERE state = 'dead'",
    "CREATE INDEX dead_message_open ON dead_message (cause, id) WHERE state = 'dead'",
    """
    CREATE TABLE audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL DEFAULT now(),
        actor text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL,
        book text,
        correlation_id text,
        detail jsonb NOT NULL
    )
    """,
    "CREATE INDEX audit_subject ON audit (subject, id)",
    # The audit is append-only, also for its owner.
    """
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()
    """,
)


def create(op: Any) -> None:
    """Create the shared tables; ``op`` is alembic's operations object."""
    for statement in _STATEMENTS:
        op.execute(statement)
