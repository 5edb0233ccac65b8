"""Lists of both sides: entries, links with what was agreed, marks, decisions and requests."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATEMENTS = (
    # What both sides hold, in one form; the newest statement of each entry.
    """
    CREATE TABLE list_entry (
        book text COLLATE "C" NOT NULL,
        source text COLLATE "C" NOT NULL,
        list_name text COLLATE "C" NOT NULL,
        entry_id text COLLATE "C" NOT NULL,
        record_id text NOT NULL,
        revision bigint NOT NULL,
        entry jsonb NOT NULL,
        learned_at timestamptz NOT NULL,
        written_at timestamptz,
        PRIMARY KEY (book, source, list_name, entry_id)
    )
    """,
    # Ids are a company's own: a book that moves to another ledger links anew.
    # A link that somebody refused stays as 'apart', so that nobody makes it again unasked.
    """
    CREATE TABLE list_link (
        book text COLLATE "C" NOT NULL,
        company text COLLATE "C" NOT NULL,
        source text COLLATE "C" NOT NULL,
        list_name text COLLATE "C" NOT NULL,
        entry_id text COLLATE "C" NOT NULL,
        ledger_list text COLLATE "C" NOT NULL,
        ledger_id text COLLATE "C" NOT NULL,
        state text NOT NULL CHECK (state IN ('linked', 'apart')),
        how text NOT NULL,
        label text NOT NULL,
        target jsonb NOT NULL DEFAULT '{}',
        agreed jsonb NOT NULL DEFAULT '{}',
        linked_at timestamptz NOT NULL,
        linked_by text NOT NULL,
        note text,
        PRIMARY KEY (book, company, source, list_name, entry_id, ledger_list, ledger_id)
    )
    """,
    """
    CREATE UNIQUE INDEX list_link_one ON list_link
        (book, company, source, list_name, entry_id, ledger_list) WHERE state = 'linked'
    """,
    "CREATE INDEX list_link_ledger ON list_link (book, company, ledger_list, ledger_id)",
    """
    CREATE TABLE list_mark (
        book text COLLATE "C" NOT NULL,
        side text COLLATE "C" NOT NULL,
        list_name text COLLATE "C" NOT NULL,
        entry_id text COLLATE "C" NOT NULL,
        mark text NOT NULL CHECK (mark IN ('blocked', 'allowed')),
        marked_at timestamptz NOT NULL,
        marked_by text NOT NULL,
        note text,
        PRIMARY KEY (book, side, list_name, entry_id)
    )
    """,
    # Writes from proposal to outcome, and whatever else a person should see.
    """
    CREATE TABLE list_decision (
        book text COLLATE "C" NOT NULL,
        decision_id text COLLATE "C" NOT NULL,
        kind text NOT NULL CHECK (kind IN ('change', 'hold', 'suggestion', 'difference')),
        state text NOT NULL CHECK (state IN ('open', 'requested', 'waiting', 'written', 'adopted',
            'refused', 'stale', 'approved', 'rejected', 'gone')),
        code text NOT NULL,
        source text NOT NULL,
        list_name text NOT NULL,
        ledger_list text NOT NULL,
        detail text NOT NULL,
        advice text,
        reasons jsonb NOT NULL DEFAULT '[]',
        entries jsonb NOT NULL DEFAULT '[]',
        wanted_key text,
        attempt integer NOT NULL DEFAULT 1,
        change jsonb,
        request jsonb,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        decided_by text,
        note text,
        PRIMARY KEY (book, decision_id)
    )
    """,
    "CREATE UNIQUE INDEX list_decision_wanted ON list_decision (book, wanted_key, attempt)",
    """
    CREATE INDEX list_decision_live ON list_decision (book, kind)
        WHERE state IN ('open', 'requested', 'waiting')
    """,
    """
    CREATE TABLE list_book (
        book text COLLATE "C" PRIMARY KEY,
        is_due boolean NOT NULL DEFAULT true,
        is_learned boolean NOT NULL DEFAULT false,
        has_ledger boolean NOT NULL DEFAULT false,
        planned_version bigint NOT NULL DEFAULT 0,
        planned_at timestamptz
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
