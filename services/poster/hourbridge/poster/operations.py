"""Intents: what is to be written to a ledger, committed before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Document
from hourbridge.common.store.rows import bulk, statement

OperationKind = Literal["create", "update", "restore", "apply", "delete"]
_KEY_CHARACTERS = {"quickbooks_online": 32, "quickbooks_desktop": 23}

_INSERT = statement(
    """
    INSERT INTO ledger_operation (operation_key, book, ledger_key, document_id, kind, generation,
        payload_version, payload, detail, uncertain, state, available_at, created_at)
    SELECT operation_key, book, ledger_key, document_id, kind, generation, payload_version,
        payload, detail, uncertain, 'pending', :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        operation_key text, book text, ledger_key text, document_id text, kind text,
        generation integer, payload_version integer, payload jsonb, detail jsonb, uncertain boolean)
    """
)
_OPEN = statement(
    """
    SELECT * FROM ledger_operation
    WHERE document_id = :document_id AND state IN ('pending', 'sending', 'unknown', 'parked')
    FOR UPDATE
    """
)
_CANCEL = statement(
    "UPDATE ledger_operation SET state = 'cancelled', done_at = :now WHERE id = :id"
)
_REOPEN = statement(
    """
    UPDATE ledger_operation SET state = 'pending', available_at = :now, attempts = 0,
        error_code = NULL, error_text = NULL
    WHERE id = :id
    """
)

_DECIDE = statement(
    "UPDATE ledger_operation SET detail = detail || CAST('{\"decided\": true}' AS jsonb) "
    "WHERE id = :id"
)


@dataclass(frozen=True)
class Intent:
    """One write to come: a document at a payload version and generation."""

    book: str
    document: Document
    kind: OperationKind
    payload_version: int = 1
    detail: Mapping[str, Any] = field(default_factory=dict)
    uncertain: bool = False
    """An earlier intent for the same document may have taken effect: search first."""

    @property
    def operation_key(self) -> str:
        """Return the key that a ledger remembers the write by."""
        document = self.document
        return derive_key(
            "operation",
            ledger_key(document.ledger),
            document.document_id,
            self.kind,
            str(self.payload_version),
            str(document.generation),
            length=_KEY_CHARACTERS[document.ledger.kind],
        )


@dataclass(frozen=True)
class OpenOperation:
    """The one unfinished intent of a document."""

    id: int
    kind: OperationKind
    state: str
    uncertain: bool
    error_code: str | None

    @property
    def may_be_in_ledger(self) -> bool:
        """Return whether the write may have taken effect, or may be under way."""
        return self.uncertain or self.state in ("sending", "unknown")


def add_intents(connection: Connection, intents: Sequence[Intent], now: datetime) -> None:
    """Store intents, to be worked in this order."""
    if intents:
        bulk(connection, _INSERT, [_row(intent) for intent in intents], now=now)


def lock_open(connection: Connection, document_id: str) -> OpenOperation | None:
    """Lock and return a document's unfinished intent."""
    row = connection.execute(_OPEN, {"document_id": document_id}).mappings().first()
    if row is None:
        return None
    return OpenOperation(row["id"], row["kind"], row["state"], row["uncertain"], row["error_code"])


def cancel(connection: Connection, operation: OpenOperation, now: datetime) -> None:
    """End an intent that was never sent."""
    connection.execute(_CANCEL, {"id": operation.id, "now": now})


def reopen(connection: Connection, operation: OpenOperation, now: datetime) -> None:
    """Let a parked intent be tried again as it is, under the same key."""
    connection.execute(_REOPEN, {"id": operation.id, "now": now})


def decide(connection: Connection, operation: OpenOperation, now: datetime) -> None:
    """Let a parked intent be carried out over what somebody changed in the ledger meanwhile."""
    connection.execute(_DECIDE, {"id": operation.id})
    reopen(connection, operation, now)


def _row(intent: Intent) -> dict[str, Any]:
    document = intent.document
    return {
        "operation_key": intent.operation_key,
        "book": intent.book,
        "ledger_key": ledger_key(document.ledger),
        "document_id": document.document_id,
        "kind": intent.kind,
        "generation": document.generation,
        "payload_version": intent.payload_version,
        "payload": document.model_dump(mode="json", exclude_none=True),
        "detail": dict(intent.detail),
        "uncertain": intent.uncertain,
    }
