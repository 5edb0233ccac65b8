"""Entries of lists, of either side, in one form."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hourbridge.matching.names import tidy, without_deleted

LEDGER = "(ledger)"
"""Stands for the ledger where a source's name would; no source can be called so."""

EntryKey = tuple[str, str, str]
"""A side (a source's name, or LEDGER), a list and the system's own id."""

NAME = "name"
ACTIVE = "active"
_TRUE, _FALSE = "true", "false"


@dataclass(frozen=True, slots=True)
class StatedLink:
    """What a tracker itself says: this entry is that one in the ledger."""

    ledger_list: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a list. ``values`` are the further fields that both sides may know."""

    side: str
    list_name: str
    entry_id: str
    name: str
    record_id: str
    full_name: str | None = None
    """With the names of its parents, colons between; of ledgers."""
    parent_id: str | None = None
    """In the same list."""
    owner_id: str | None = None
    """Of a tracker's project: its client. Of a task: its project."""
    type: str | None = None
    code: str | None = None
    currency: str | None = None
    is_active: bool = True
    is_gone: bool = False
    """The system doesn't have it any more."""
    is_header: bool = False
    is_project: bool = False
    is_synthetic: bool = False
    """A project that stands for its client, because the tracker wants one."""
    is_blocked: bool = False
    """The tracker itself says that it must not be synchronised."""
    merged_into: str | None = None
    edit_token: str | None = None
    updated_at: datetime | None = None
    values: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    stated_links: tuple[StatedLink, ...] = ()

    @property
    def key(self) -> EntryKey:
        """Return what identifies the entry."""
        return (self.side, self.list_name, self.entry_id)

    @property
    def label(self) -> str:
        """Return its name as people know it: trimmed, without the ledger's mark of deletion."""
        return tidy(self.name if self.is_active else without_deleted(self.name)) or self.entry_id

    @property
    def is_usable(self) -> bool:
        """Return whether it is there and active."""
        return self.is_active and not self.is_gone

    def value(self, name: str) -> str | None:
        """Return a field's value; None where this side doesn't know the field."""
        if name == NAME:
            return self.label
        if name == ACTIVE:
            return _TRUE if self.is_usable else _FALSE
        return self.values.get(name)

    def words(self) -> str:
        """Return the entry as messages to people name it."""
        noun = self.list_name.replace("_", " ")
        return f"{noun} {self.full_name or self.label!r} ({self.entry_id})"


def flag(is_on: bool) -> str:
    """Return a truth value as field values have it."""
    return _TRUE if is_on else _FALSE
