"""The difference between two versions of a configuration, rule by rule."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hourbridge.common.book import BookConfiguration

_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sources", ("name",)),
    ("clients", ("source", "client", "effective_from")),
    ("projects", ("source", "project", "client", "effective_from")),
    ("tasks", ("source", "task", "project", "effective_from")),
    ("expenses", ("source", "category", "effective_from")),
)
_RATE_KEY = ("client", "project", "task", "staff", "currency", "effective_from")


@dataclass(frozen=True, slots=True)
class Change:
    """One rule or policy that was added, removed or changed."""

    what: Literal["added", "removed", "changed"]
    where: str
    before: Any = None
    after: Any = None


def difference(before: BookConfiguration | None, after: BookConfiguration) -> list[Change]:
    """Return all changes; from nothing, every rule is an addition."""
    old = {} if before is None else before.model_dump(mode="json", exclude_none=True)
    new = after.model_dump(mode="json", exclude_none=True)
    changes: list[Change] = []
    for group, key in _GROUPS:
        changes += _rules(group, key, old.pop(group, []), new.pop(group, []))
    old_rates, new_rates = old.pop("rates", {}), new.pop("rates", {})
    old_rules, new_rules = old_rates.pop("rules", []), new_rates.pop("rules", [])
    changes += _rules("rates.rules", _RATE_KEY, old_rules, new_rules)
    changes += _values("rates", old_rates, new_rates)
    changes += _values("", old, new)
    return changes


def _rules(
    group: str,
    key: tuple[str, ...],
    old: Sequence[dict[str, Any]],
    new: Sequence[dict[str, Any]],
) -> Iterator[Change]:
    before = {_key(rule, key): rule for rule in old}
    after = {_key(rule, key): rule for rule in new}
    for identity in sorted({*before, *after}, key=str):
        one, other = before.get(identity), after.get(identity)
        if one != other:
            where = f"{group}({_words(one or other or {}, key)})"
            yield Change(_what(one, other), where, one, other)


def _values(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        one, other = old.get(name), new.get(name)
        where = f"{path}.{name}" if path else name
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _values(where, one, other)
        elif one != other:
            yield Change(_what(one, other), where, one, other)


def _what(one: Any, other: Any) -> Literal["added", "removed", "changed"]:
    if one is None:
        return "added"
    return "removed" if other is None else "changed"


def _key(rule: dict[str, Any], key: tuple[str, ...]) -> Hashable:
    return tuple(rule.get(name) for name in key)


def _words(rule: dict[str, Any], key: tuple[str, ...]) -> str:
    return ", ".join(f"{name}={rule[name]}" for name in key if rule.get(name) is not None)
