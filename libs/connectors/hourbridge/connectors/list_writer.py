"""The ListWriter protocol: writing entries of lists, in ledgers and in trackers alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from hourbridge.common.messages.records import ListEntry


@dataclass(frozen=True)
class ListWrite:
    """One intended write of an entry. The same intent always carries the same key and content."""

    operation_key: str
    """Within the system's limit; a system with an operation memory is given it."""
    kind: Literal["create", "update", "inactivate", "reactivate"]
    list_name: str
    wanted: ListEntry
    """In the system's terms; unset fields are left as they are."""
    entry_id: str | None = None
    edit_token: str | None = None
    is_repeat: bool = False
    """Sent before with an unknown outcome: look before creating."""


@dataclass(frozen=True)
class WrittenEntry:
    """An entry as the system holds it after a write."""

    entry: ListEntry
    is_adopted: bool = False
    """The system had an equal entry already: nothing was created."""


class ListWriter(Protocol):
    """Writes entries of the lists that the system declares as writable.

    Errors are those of the system's side: LedgerError or SourceError and below. A name that
    another record of the shared name space holds raises LedgerRejected or SourceRefused with
    ``reason_code="name_taken"`` and the holder in ``ids`` (holder_list, holder_id, holder_name).
    A stale ``edit_token`` raises with ``reason_code="edit_token_stale"`` (EditTokenStale).
    """

    @property
    def writable_lists(self) -> frozenset[str]:
        """The lists that can be written."""
        ...

    @property
    def operation_key_characters_max(self) -> int:
        """The longest operation key; 0 when the system takes none."""
        ...

    def write_entry(self, write: ListWrite) -> WrittenEntry:
        """Carry out one write; safe to repeat."""
        ...

    def read_entry(self, list_name: str, entry_id: str) -> ListEntry | None:
        """Return one entry, active or not; None when the system has none of this id."""
        ...

    def find_entries(self, list_name: str, name: str) -> tuple[ListEntry, ...]:
        """Return entries of a name (as the system compares names), inactive ones too."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
