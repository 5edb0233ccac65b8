"""Polled sources: their feeds, cursors and schedules, every reading, and what was left out."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "ALTER TABLE received_payload DROP CONSTRAINT received_payload_channel_check",
    "ALTER TABLE received_payload ADD CONSTRAINT received_payload_channel_check "
    "CHECK (channel IN ('http', 'amqp', 'file', 'poll', 'webhook'))",
    # Which connection a book's source is read over. Connections have a schema of their own.
    """
    CREATE TABLE polled_source (
        book text NOT NULL,
        source text NOT NULL,
        connection text NOT NULL,
        system text NOT NULL,
        zone text,
        attached_at timestamptz NOT NULL,
        attached_by text NOT NULL,
        PRIMARY KEY (book, source)
    )
    """,
    "CREATE INDEX polled_source_connection ON polled_source (connection)",
    """
    CREATE TABLE polled_feed (
        book text NOT NULL,
        source text NOT NULL,
        feed text NOT NULL,
        record_types text[] NOT NULL,
        has_history boolean NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        cadence text NOT NULL DEFAULT 'adaptive'
            CHECK (cadence IN ('adaptive', 'fixed', 'daily', 'weekly')),
        interval_seconds integer NOT NULL CHECK (interval_seconds > 0),
        interval_seconds_max integer NOT NULL CHECK (interval_seconds_max >= interval_seconds),
        at_time time,
        weekday integer CHECK (weekday BETWEEN 1 AND 7),
        -- The pause that an adaptive feed has come to.
        interval_now_seconds integer NOT NULL,
        cursor text,
        next_due_at timestamptz NOT NULL,
        -- Failures and throttling push this; waking doesn't.
        not_before timestamptz,
        wake_requested_at timestamptz,
        wake_reason text,
        -- Who let the next reading delete also what looks suspiciously much.
        deletions_allowed_by text,
        reading_id text,
        last_turn_at timestamptz,
        last_started_at timestamptz,
        last_finished_at timestamptz,
        last_changed_at timestamptz,
        failures integer NOT NULL DEFAULT 0,
        last_error_code text,
        last_error text,
        -- What was told last of a quiet feed: the same is not told again.
        told text,
        PRIMARY KEY (book, source, feed),
        FOREIGN KEY (book, source) REFERENCES polled_source ON DELETE CASCADE,
        CHECK (cadence NOT IN ('daily', 'weekly') OR at_time IS NOT NULL),
        CHECK (cadence <> 'weekly' OR weekday IS NOT NULL)
    )
    """,
    "CREATE INDEX polled_feed_due ON polled_feed (next_due_at) WHERE enabled",
    # History is asked for by span: the same span is one request however often it is asked for.
    """
    CREATE TABLE polled_span (
        book text NOT NULL,
        source text NOT NULL,
        feed text NOT NULL,
        first_day date NOT NULL,
        last_day date NOT NULL CHECK (last_day >= first_day),
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paused', 'done')),
        cursor text,
        not_before timestamptz,
        reading_id text,
        last_turn_at timestamptz,
        failures integer NOT NULL DEFAULT 0,
        last_error_code text,
        last_error text,
        asked_at timestamptz NOT NULL,
        asked_by text NOT NULL,
        finished_at timestamptz,
        PRIMARY KEY (book, source, feed, first_day, last_day),
        FOREIGN KEY (book, source, feed) REFERENCES polled_feed ON DELETE CASCADE
    )
    """,
    "CREATE INDEX polled_span_open ON polled_span (asked_at) WHERE state = 'open'",
    """
    CREATE TABLE poll_reading (
        reading_id text PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        feed text NOT NULL,
        is_history boolean NOT NULL,
        record_type text NOT NULL,
        as_of timestamptz NOT NULL,
        is_snapshot boolean NOT NULL,
        window_first date,
        window_last date,
        state text NOT NULL CHECK (state IN ('reading', 'deleting', 'done', 'abandoned')),
        pages integer NOT NULL DEFAULT 0,
        counts jsonb NOT NULL DEFAULT '{}',
        filtered jsonb NOT NULL DEFAULT '{}',
        totals jsonb NOT NULL DEFAULT '[]',
        unidentified integer NOT NULL DEFAULT 0,
        deleted integer NOT NULL DEFAULT 0,
        rekeyed integer NOT NULL DEFAULT 0,
        deletions_withheld text,
        started_at timestamptz NOT NULL,
        finished_at timestamptz
    )
    """,
    "CREATE INDEX poll_reading_feed ON poll_reading (book, source, feed, started_at)",
    # A statement that can't be used is restated by every reading: it is one row with a count.
    """
    CREATE TABLE poll_rejected (
        book text NOT NULL,
        source text NOT NULL,
        feed text NOT NULL,
        raw_ref text NOT NULL,
        record_type text NOT NULL,
        external_id text,
        location text NOT NULL,
        reasons jsonb NOT NULL,
        reading_id text NOT NULL,
        first_seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        times integer NOT NULL DEFAULT 1,
        PRIMARY KEY (book, source, feed, raw_ref)
    )
    """,
    # Selective sync. The scope is a record type, or the list of a list entry; '*' means all of it.
    """
    CREATE TABLE intake_rule (
        book text NOT NULL,
        source text NOT NULL,
        scope text NOT NULL,
        external_id text NOT NULL,
        rule text NOT NULL CHECK (rule IN ('allow', 'block')),
        note text,
        made_at timestamptz NOT NULL,
        made_by text NOT NULL,
        PRIMARY KEY (book, source, scope, external_id)
    )
    """,
    # The newest statement about each thing that a rule keeps out: it comes in when the rule goes.
    """
    CREATE TABLE skipped_by_rule (
        book text NOT NULL,
        source text NOT NULL,
        scope text NOT NULL,
        external_id text NOT NULL,
        record_type text NOT NULL,
        state jsonb NOT NULL,
        raw_ref text NOT NULL,
        as_of timestamptz NOT NULL,
        order_kind text NOT NULL,
        order_key bigint NOT NULL,
        last_seen_at timestamptz NOT NULL,
        PRIMARY KEY (book, source, record_type, external_id)
    )
    """,
    "CREATE INDEX skipped_by_rule_scope ON skipped_by_rule (book, source, scope)",
    # Which feed's complete readings speak for a record: only those can miss it.
    """
    CREATE TABLE polled_record (
        record_id uuid PRIMARY KEY,
        book text NOT NULL,
        source text NOT NULL,
        feed text NOT NULL
    )
    """,
    "CREATE INDEX polled_record_feed ON polled_record (book, source, feed)",
    """
    CREATE TABLE attachment_file (
        book text NOT NULL,
        source text NOT NULL,
        attachment_id text NOT NULL,
        feed text NOT NULL,
        record_type text NOT NULL,
        external_id text NOT NULL,
        attachment jsonb NOT NULL,
        raw_ref text,
        attempts integer NOT NULL,
        last_error text,
        tried_at timestamptz NOT NULL,
        PRIMARY KEY (book, source, attachment_id)
    )
    """,
    "CREATE INDEX attachment_file_missing ON attachment_file (book, source, feed) "
    "WHERE raw_ref IS NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
