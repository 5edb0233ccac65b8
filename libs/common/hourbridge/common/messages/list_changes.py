"""Payloads, version 1, of list synchronisation: what an outside system's list shall hold."""

from __future__ import annotations

from typing import Literal

from hourbridge.common.book import LedgerBinding
from hourbridge.common.messages.charges import Reason
from hourbridge.common.messages.fields import Identifier, Payload, SourceName
from hourbridge.common.messages.list_records import ListEntry


class ListTarget(Payload):
    """The system whose list is to change: the book's ledger, or one of its sources."""

    ledger: LedgerBinding | None = None
    source: SourceName | None = None


class ListChangeRequested(Payload):
    """The mapper asks for an entry to be created or changed; equal requests have equal ids."""

    change_id: Identifier
    """Derived from book, target, list, origin entry and the wanted state: a repeat is the same."""
    target: ListTarget
    list_name: Identifier
    kind: Literal["create", "update", "inactivate", "reactivate"]
    wanted: ListEntry
    """The entry as it shall be, in the target's terms; unset fields are left alone."""
    entry_id: Identifier | None = None
    """The target's own id; None to create."""
    edit_token: str | None = None
    """The version that the decision was made on; another one means: decide again."""
    origin: Identifier | None = None
    """The record_id on the other side that this entry stands for."""
    decided_by: str
    """A rule's name, or the person who approved."""
    configuration_version: int


class ListChangeDone(Payload):
    """What became of a request; the poster tells it once per change and state."""

    change_id: Identifier
    target: ListTarget
    list_name: Identifier
    outcome: Literal["written", "adopted", "waiting", "refused"]
    """Adopted: the system had the entry already. Waiting: the poster goes on by itself."""
    entry: ListEntry | None = None
    """As the system holds it now."""
    origin: Identifier | None = None
    reasons: tuple[Reason, ...] = ()
