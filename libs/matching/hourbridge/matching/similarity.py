"""Names that are nearly the same: found to be shown to people, never to be acted on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Generic, TypeVar

from hourbridge.matching.names import words

KeyT = TypeVar("KeyT", bound=Hashable)

NEAR_PERCENT = 85
_SHORT_CHARACTERS = 4
"""Below that one letter makes another name: only the same words count."""
_BLOCK_MAX = 200
"""A block of more entries tells nothing: a word like ``project`` that all names have."""


def similarity_percent(one: str, other: str) -> int:
    """Return how near two names are, 0 to 100; 100 means the same words in whatever order."""
    first, second = words(one), words(other)
    if first == second:
        return 100
    joined, also = " ".join(first), " ".join(second)
    if min(len(joined), len(also)) < _SHORT_CHARACTERS or _numbers(first) != _numbers(second):
        return 0
    if joined.replace(" ", "") == also.replace(" ", ""):
        return 99
    matcher = SequenceMatcher(None, joined, also, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return 200 * same // (len(joined) + len(also))


def _numbers(found: Sequence[str]) -> list[str]:
    """Phase 1 and Phase 2 are never the same, however near their texts are."""
    return [word for word in found if any(c.isdigit() for c in word)]


@dataclass(frozen=True, slots=True)
class Near(Generic[KeyT]):
    """Two entries whose names are nearly the same."""

    one: KeyT
    other: KeyT
    percent: int


def near_pairs(
    names: Mapping[KeyT, str], others: Mapping[KeyT, str] | None = None
) -> list[Near[KeyT]]:
    """Return near pairs among ``names``, or between them and ``others``; the nearest first.

    No key may stand in both. Only names that share a word, or the beginning or end of one, are
    compared: lists of ten thousand take seconds, not hours.
    """
    found: dict[tuple[KeyT, KeyT], int] = {}
    everything = {**names, **(others or {})}
    order = {key: at for at, key in enumerate(everything)}
    for block in _blocks(names, others):
        for one, other in block:
            pair = (one, other) if order[one] <= order[other] else (other, one)
            if pair not in found:
                found[pair] = similarity_percent(everything[pair[0]], everything[pair[1]])
    near = [Near(one, other, percent) for (one, other), percent in found.items()]
    return sorted(
        (pair for pair in near if pair.percent >= NEAR_PERCENT),
        key=lambda pair: (-pair.percent, order[pair.one], order[pair.other]),
    )


def _blocks(
    names: Mapping[KeyT, str], others: Mapping[KeyT, str] | None
) -> Iterable[Iterable[tuple[KeyT, KeyT]]]:
    own = _by_part(names)
    if others is None:
        for keys in own.values():
            if 1 < len(keys) <= _BLOCK_MAX:
                yield ((a, b) for at, a in enumerate(keys) for b in keys[at + 1 :])
        return
    foreign = _by_part(others)
    for part, keys in own.items():
        matching = foreign.get(part, [])
        if matching and len(keys) + len(matching) <= _BLOCK_MAX:
            yield ((a, b) for a in keys for b in matching)


def _by_part(names: Mapping[KeyT, str]) -> dict[str, list[KeyT]]:
    parts: dict[str, list[KeyT]] = defaultdict(list)
    for key, name in names.items():
        telling = words(name)
        joined = "".join(telling)
        own = {word[:4] for word in telling} | {word[-4:] for word in telling}
        own |= {f"={joined}", f"<{joined[:4]}", f">{joined[-4:]}"}
        for part in own:
            parts[part].append(key)
    return parts
