"""Both sides while a plan is made: entries by list, links as they are or become, names taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hourbridge.common.book.lists import LedgerList, ListName
from hourbridge.matching.correspondence import SHARED_NAMES
from hourbridge.matching.entry import LEDGER, Entry, EntryKey
from hourbridge.matching.names import canonical
from hourbridge.matching.state import Link, LinkKey, ListState

LIST_ORDER: tuple[ListName, ...] = (
    "class",
    "term",
    "tax_rate",
    "client",
    "vendor",
    "staff",
    "project",
    "labor_code",
    "task",
    "expense_code",
)
"""What others depend on comes first: a client before its projects."""


class Board:
    """The state with its indexes; links that the plan makes count at once."""

    def __init__(self, state: ListState) -> None:
        self.state = state
        self.policy = state.policy
        self._by_list: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._children: set[tuple[str, str]] = set()
        self._names: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._links: dict[LinkKey, Link] = {}
        self._linked_from: dict[tuple[str, str], list[Link]] = defaultdict(list)
        for key in sorted(state.entries):
            self._note(state.entries[key])
        for link in sorted(state.links, key=self._rank):
            self.add(link)
        self._coming: dict[tuple[str, str, str], EntryKey] = {}
        self._busy: set[EntryKey] = set()
        self._origins: set[tuple[str, str, EntryKey]] = set()
        for write in state.open_writes:
            self._origins.add((write.side, write.list_name, write.origin))
            if write.entry_id is not None:
                self._busy.add((write.side, write.list_name, write.entry_id))
            self.reserve(write.side, write.list_name, write.name, write.origin)

    def _note(self, entry: Entry) -> None:
        if entry.is_gone:
            return
        self._by_list[entry.side, entry.list_name].append(entry)
        if entry.side == LEDGER:
            self._names[name_space(entry.list_name), canonical(entry.name)].append(entry)
            if entry.parent_id is not None and entry.is_active:
                self._children.add((entry.list_name, entry.parent_id))

    def _rank(self, link: Link) -> tuple[int, int, str, str]:
        return (*self.rank(link), link.entry_id, link.ledger_list)

    def rank(self, link: Link) -> tuple[int, int]:
        """Return where a link stands: sources in the configuration's order, then lists."""
        sources = self.state.sources
        at = sources.index(link.source) if link.source in sources else len(sources)
        return at, LIST_ORDER.index(link.list_name)

    # --- entries ---------------------------------------------------------------------------

    def entries(self, side: str, list_name: str) -> Sequence[Entry]:
        """Return the entries of a list that are there, by id."""
        return self._by_list.get((side, list_name), ())

    def get(self, side: str, list_name: str, entry_id: str) -> Entry | None:
        """Return an entry, also one that is gone."""
        return self.state.entries.get((side, list_name, entry_id))

    def has_children(self, entry: Entry) -> bool:
        """Return whether active entries lie below one of the ledger."""
        return (entry.list_name, entry.entry_id) in self._children

    def root(self, entry: Entry) -> Entry:
        """Return the topmost parent of an entry of the ledger; itself if it has none."""
        seen = {entry.entry_id}
        while entry.parent_id is not None and entry.parent_id not in seen:
            parent = self.get(entry.side, entry.list_name, entry.parent_id)
            if parent is None:
                break
            seen.add(parent.entry_id)
            entry = parent
        return entry

    # --- links -----------------------------------------------------------------------------

    def add(self, link: Link) -> None:
        """Make a link count, in place of what its key had."""
        self.remove(link.key)
        self._links[link.key] = link
        linked = self._linked_from[link.ledger_list, link.ledger_id]
        linked.append(link)
        linked.sort(key=self._rank)

    def remove(self, key: LinkKey) -> None:
        """Take a link away, if there is one."""
        link = self._links.pop(key, None)
        if link is not None:
            self._linked_from[link.ledger_list, link.ledger_id].remove(link)

    def links(self) -> list[Link]:
        """Return all links in their order."""
        return sorted(self._links.values(), key=self._rank)

    def link(
        self, source: str, list_name: ListName, entry_id: str, ledger_list: LedgerList
    ) -> Link | None:
        """Return an entry's link into a list of the ledger."""
        return self._links.get((source, list_name, entry_id, ledger_list))

    def linked_from(self, ledger_list: str, ledger_id: str) -> Sequence[Link]:
        """Return the links that lead to an entry of the ledger, the leading one first."""
        return self._linked_from.get((ledger_list, ledger_id), ())

    def is_linked_to(
        self, source: str, list_name: ListName, ledger_list: str, ledger_id: str
    ) -> bool:
        """Return whether an entry of this list of the source stands for the ledger's already.

        A project that only stands for its client doesn't count.
        """
        return any(
            link.source == source and link.list_name == list_name
            for link in self.linked_from(ledger_list, ledger_id)
        )

    def is_apart(self, key: LinkKey, ledger_id: str) -> bool:
        """Return whether somebody said that these two don't belong together."""
        return (key, ledger_id) in self.state.apart

    def move(self, link: Link, ledger_id: str) -> Link:
        """Let a link lead to another entry, as after a merge; what was agreed is void."""
        moved = replace(link, ledger_id=ledger_id, how="merged", agreed={})
        self.add(moved)
        return moved

    # --- writes and names ------------------------------------------------------------------

    def is_busy(self, entry: Entry) -> bool:
        """Return whether a write to an entry is under way or proposed."""
        return entry.key in self._busy

    def is_coming(self, side: str, list_name: str, origin: EntryKey) -> bool:
        """Return whether a write for an origin is under way or proposed on a side."""
        return (side, list_name, origin) in self._origins

    def reserve(self, side: str, list_name: str, name: str, origin: EntryKey) -> None:
        """Note that a name will be taken."""
        self._coming.setdefault((side, name_space(list_name), canonical(name)), origin)

    def coming(self, side: str, list_name: str, name: str) -> EntryKey | None:
        """Return for whom an entry of this name is being made on a side."""
        return self._coming.get((side, name_space(list_name), canonical(name)))

    def holders(self, ledger_list: str, name: str) -> Sequence[Entry]:
        """Return the ledger's entries, inactive ones too, that have a name in its name space."""
        return self._names.get((name_space(ledger_list), canonical(name)), ())

    def unlinked(
        self, source: str, list_name: ListName, ledger_list: LedgerList
    ) -> Iterator[Entry]:
        """Yield the entries of a source's list without a link into a list of the ledger."""
        for entry in self.entries(source, list_name):
            if self.link(source, list_name, entry.entry_id, ledger_list) is None:
                yield entry


def name_space(list_name: str) -> str:
    """Return within which lists a name may be held only once."""
    return "names" if list_name in SHARED_NAMES else list_name
