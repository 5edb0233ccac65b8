"""What is known when lists are planned, and what a plan says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hourbridge.common.book.lists import LedgerList, ListName, ListPolicy
from hourbridge.common.messages.events import Reason
from hourbridge.matching.entry import Entry, EntryKey

LinkKey = tuple[str, ListName, str, LedgerList]
"""A source, its list, its entry's id, and the ledger's list: at most one link each."""

How = Literal["stated", "name", "merged", "client", "created", "adopted", "manual"]
Mark = Literal["blocked", "allowed"]
Agreed = dict[str, tuple[str, str]]
"""By field, the two values, source's and ledger's, that last stood for each other."""


@dataclass(frozen=True, slots=True)
class Link:
    """A tracker's entry and the ledger's that stands for it."""

    source: str
    list_name: ListName
    entry_id: str
    ledger_list: LedgerList
    ledger_id: str
    how: How
    agreed: Agreed = field(default_factory=dict)

    @property
    def key(self) -> LinkKey:
        """Return what identifies the link."""
        return (self.source, self.list_name, self.entry_id, self.ledger_list)


@dataclass(frozen=True, slots=True)
class OpenWrite:
    """A write that was asked for, or is proposed, and whose outcome isn't known yet."""

    side: str
    list_name: str
    entry_id: str | None
    """None for an entry that is being created."""
    name: str
    origin: EntryKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """Both sides of one book, as far as they are known."""

    policy: ListPolicy
    sources: tuple[str, ...]
    """In the order of the configuration: the first one leads where several share an entry."""
    entries: Mapping[EntryKey, Entry]
    links: tuple[Link, ...] = ()
    apart: frozenset[tuple[LinkKey, str]] = frozenset()
    """Links that somebody refused: never made again without asking."""
    marks: Mapping[EntryKey, Mark] = field(default_factory=dict)
    open_writes: tuple[OpenWrite, ...] = ()


@dataclass(frozen=True, slots=True)
class NewLink:
    """To be remembered: these two belong together; ``before`` is where the link led so far."""

    link: Link
    before: str | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Agreement:
    """To be remembered: both sides say the same now."""

    key: LinkKey
    values: Agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A write to one side."""

    side: str
    """LEDGER, or the source's name."""
    list_name: str
    """The list that is written, as that side calls it."""
    kind: Literal["create", "update", "inactivate", "reactivate"]
    link_key: LinkKey
    """With the id of the tracker's entry; of one that is to be created, an empty one."""
    origin: Entry
    """The other side's entry, which this one stands for."""
    entry: Entry | None = None
    """As it is now; None to create."""
    name: str | None = None
    parent_id: str | None = None
    type: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    """What the origin says of these fields: the other half of what will be agreed."""
    attributes: dict[str, str] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    needs_approval: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Something that only a person can settle; nothing is written for it."""

    code: str
    source: str
    list_name: ListName
    ledger_list: LedgerList
    detail: str
    advice: str
    entries: tuple[EntryKey, ...]
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two unlinked entries with nearly the same name."""

    key: LinkKey
    ledger_id: str
    percent: int
    detail: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that comes across once another one has."""

    entry: EntryKey
    waits_for: EntryKey
    detail: str


@dataclass(slots=True)
class Plan:
    """What to do about two sides, in the order in which it is to be done."""

    links: list[NewLink] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    differences: list[Hold] = field(default_factory=list)
    """Where the sides differ and the policy lets each keep its own."""
