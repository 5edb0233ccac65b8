"""Which entries come across: by pattern, by id, and by what people marked one by one."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from hourbridge.common.book.lists import ListRule
from hourbridge.matching.entry import Entry, EntryKey
from hourbridge.matching.names import canonical
from hourbridge.matching.state import Mark

_BY_ID = "id:"


def is_selected(rule: ListRule, entry: Entry, marks: Mapping[EntryKey, Mark]) -> bool:
    """Return whether an entry takes part.

    What a person marked stands above the patterns, ``block`` above ``allow``, and what the
    tracker itself blocks stays out unless a person allowed it.
    """
    mark = marks.get(entry.key)
    if mark is not None:
        return mark == "allowed"
    if entry.is_blocked or any(_matches(pattern, entry) for pattern in rule.block):
        return False
    return not rule.allow or any(_matches(pattern, entry) for pattern in rule.allow)


def _matches(pattern: str, entry: Entry) -> bool:
    if pattern.startswith(_BY_ID):
        return pattern.removeprefix(_BY_ID) == entry.entry_id
    wanted = canonical(pattern)
    names = {entry.label, entry.name, entry.full_name or entry.name}
    return any(fnmatchcase(canonical(name), wanted) for name in names)
