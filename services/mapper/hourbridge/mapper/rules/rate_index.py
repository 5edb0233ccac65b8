"""Hourly rates by scope: the entry's own rate if the book says so, then rules in scope order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product

from hourbridge.common.book import RatePolicy, RateRule, RateScope
from hourbridge.common.messages.events import ChargedRate
from hourbridge.mapper.rules.lookup import RuleTable
from hourbridge.mapper.rules.names import normal
from hourbridge.mapper.rules.subject import Subject

ScopeKey = tuple[str, ...]
_DIMENSIONS: tuple[RateScope, ...] = ("client", "project", "task", "staff")


def scope_of(rule: RateRule) -> frozenset[RateScope]:
    """Return which parts of an entry a rule looks at."""
    return frozenset(name for name in _DIMENSIONS if getattr(rule, name) is not None)


def describe(rule: RateRule) -> str:
    """Return a rule's identity in words; stable when other rules come and go."""
    parts = [f"{name}={getattr(rule, name)}" for name in _DIMENSIONS if getattr(rule, name)]
    if rule.effective_from:
        parts.append(f"from {rule.effective_from}")
    return f"rule {', '.join(parts)}" if parts else "rule for everything"


class RateIndex:
    """The rate rules of one configuration, each scope of the order a table of its own."""

    def __init__(self, policy: RatePolicy, book_currency: str) -> None:
        self.use_source_rate = policy.use_source_rate
        self._book_currency = book_currency
        by_scope: dict[frozenset[RateScope], list[RateRule]] = {}
        for rule in policy.rules:
            by_scope.setdefault(scope_of(rule), []).append(rule)
        self._tables: list[tuple[tuple[RateScope, ...], RuleTable[ScopeKey, RateRule]]] = [
            (scope, RuleTable((_key(rule, scope), rule) for rule in by_scope[frozenset(scope)]))
            for scope in policy.order
            if frozenset(scope) in by_scope
        ]
        self._charged: dict[int, ChargedRate] = {}

    def candidates(self, subject: Subject, day: date) -> Iterator[RateRule]:
        """Yield the rules that apply on ``day``, the most telling scope first."""
        for scope, table in self._tables:
            for key in product(*(getattr(subject, name).keys for name in scope)):
                yield from table.all_on(key, day)

    def charged(self, rule: RateRule) -> ChargedRate:
        """Return the snapshot of a rule's rate; a rule without currency means the book's."""
        found = self._charged.get(id(rule))
        if found is None:
            found = self._charged[id(rule)] = ChargedRate(
                amount=rule.amount,
                currency=rule.currency or self._book_currency,
                origin=describe(rule),
            )
        return found


def _key(rule: RateRule, scope: tuple[RateScope, ...]) -> ScopeKey:
    return tuple(normal(getattr(rule, name)) for name in scope)
