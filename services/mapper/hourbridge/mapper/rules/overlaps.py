"""Rules of one key whose dates contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from hourbridge.common.book import BookConfiguration, Effective, RateRule
from hourbridge.mapper.rules.findings import Finding
from hourbridge.mapper.rules.lookup import newest_first
from hourbridge.mapper.rules.names import normal
from hourbridge.mapper.rules.rate_index import describe

RuleT = TypeVar("RuleT", bound=Effective)


def overlapping_rules(book: BookConfiguration) -> Iterator[Finding]:
    """Find rules of the same key that begin on the same day, or that reach into the next one.

    A rule without an end is ended by the next one's beginning. One that states a later end
    contradicts the next one, and is refused rather than guessed at.
    """
    yield from _overlaps(
        "clients", book.clients, lambda r: (r.source, normal(r.client)), lambda r: r.client
    )
    yield from _overlaps(
        "projects",
        book.projects,
        lambda r: (r.source, normal(r.project), _name(r.client)),
        lambda r: r.project,
    )
    yield from _overlaps(
        "tasks",
        book.tasks,
        lambda r: (r.source, normal(r.task), _name(r.project)),
        lambda r: r.task,
    )
    yield from _overlaps(
        "expenses", book.expenses, lambda r: (r.source, normal(r.category)), lambda r: r.category
    )
    yield from _overlaps(
        "staff", book.staff, lambda r: (r.source, normal(r.staff)), lambda r: r.staff
    )
    yield from _overlaps(
        "subcontractors", book.subcontractors, lambda r: normal(r.staff), lambda r: r.staff
    )
    yield from _overlaps(
        "rates.rules", book.rates.rules, lambda r: _rate_key(r, book.currency), describe
    )


def _overlaps(
    group: str,
    rules: Sequence[RuleT],
    key: Callable[[RuleT], Hashable],
    name: Callable[[RuleT], str],
) -> Iterator[Finding]:
    by_key: dict[Hashable, list[tuple[int, RuleT]]] = {}
    for index, rule in enumerate(rules):
        by_key.setdefault(key(rule), []).append((index, rule))
    for same in by_key.values():
        same.sort(key=lambda item: newest_first(item[1]))
        for (first, earlier), (second, later) in pairwise(same):
            where = f"{group}[{second}]"
            if earlier.effective_from == later.effective_from:
                detail = f"{name(later)!r} begins on the same day as {group}[{first}]"
                yield Finding("duplicate_rule", where, detail)
            elif earlier.effective_to and earlier.effective_to >= newest_first(later):
                detail = (
                    f"{name(later)!r} begins on {later.effective_from}, while {group}[{first}] "
                    f"holds through {earlier.effective_to}"
                )
                yield Finding("overlapping_dates", where, detail)


def _rate_key(rule: RateRule, book_currency: str) -> Hashable:
    scope = (_name(rule.client), _name(rule.project), _name(rule.task), _name(rule.staff))
    return (*scope, rule.currency or book_currency)


def _name(text: str | None) -> str | None:
    return None if text is None else normal(text)
