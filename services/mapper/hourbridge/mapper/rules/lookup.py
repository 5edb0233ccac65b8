"""Dictionaries of effective-dated rules by (source, key): finding one costs a lookup or two."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from typing import Generic, TypeVar

from hourbridge.common.book import Effective
from hourbridge.mapper.rules.names import Term

RuleT = TypeVar("RuleT", bound=Effective)
KeyT = TypeVar("KeyT", bound=Hashable)


def newest_first(rule: Effective) -> date:
    """Return the sort key by which, in reverse, the rule that began last comes first."""
    return rule.effective_from or date.min


def _is_undated(rule: Effective) -> bool:
    return rule.effective_from is None and rule.effective_to is None


class RuleTable(Generic[KeyT, RuleT]):
    """Rules by key; of those that hold on a day, the one that began last comes first."""

    def __init__(self, rules: Iterable[tuple[KeyT, RuleT]]) -> None:
        self._rules: dict[KeyT, list[RuleT]] = {}
        for key, rule in rules:
            self._rules.setdefault(key, []).append(rule)
        for group in self._rules.values():
            group.sort(key=newest_first, reverse=True)
        self._always = {
            key for key, group in self._rules.items() if all(_is_undated(rule) for rule in group)
        }

    def __len__(self) -> int:
        return len(self._rules)

    def on(self, key: KeyT, day: date) -> RuleT | None:
        """Return the rule of ``key`` that holds on ``day``."""
        group = self._rules.get(key)
        if group is None:
            return None
        if key in self._always:
            return group[0]
        for rule in group:
            if rule.holds_on(day):
                return rule
        return None

    def all_on(self, key: KeyT, day: date) -> Sequence[RuleT]:
        """Return every rule of ``key`` that holds on ``day``, the one that began last first."""
        group = self._rules.get(key)
        if group is None:
            return ()
        if key in self._always:
            return group
        return [rule for rule in group if rule.holds_on(day)]


SourceKey = tuple[str | None, str]
"""A source (None: any) and a normal name or id."""


def first_match(
    table: RuleTable[SourceKey, RuleT], source: str, named: Term, day: date
) -> RuleT | None:
    """Return the rule for a term: by id before by name, the source's own before the general."""
    for key in named.keys:
        rule = table.on((source, key), day) or table.on((None, key), day)
        if rule is not None:
            return rule
    return None


def matches(
    table: RuleTable[SourceKey, RuleT],
    source: str,
    named: Term,
    day: date,
    accepts: Callable[[RuleT], bool],
) -> Sequence[RuleT]:
    """Return the acceptable rules of the best level: id before name, own source before any."""
    for key in named.keys:
        for owner in (source, None):
            holding = table.all_on((owner, key), day)
            if holding:
                found = [rule for rule in holding if accepts(rule)]
                if found:
                    return found
    return ()
