"""What becomes of a statement about a record: the rules, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one stated thing; each has exactly one."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # the very event was received before
    UNCHANGED = "unchanged"  # says what is known already
    OLDER = "older"  # something newer is known
    CONFLICT = "conflict"  # same version, other content: parked for a decision
    REJECTED = "rejected"
    SKIPPED = "skipped"  # not a statement: a blank row


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a record."""

    revision: int
    """As published: the order key, or the next higher number after a decided conflict."""
    seen_revision: int
    """The newest order key under which the present content was stated."""
    content_hash: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a statement proposes."""

    order_key: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of each proposal, in the order given, and where the record stands then."""

    outcomes: tuple[Outcome, ...]
    standing: Standing
    accepted: int | None
    """The index of the proposal that took effect."""


def decide(standing: Standing | None, proposal: Proposal) -> Outcome:
    """Return what becomes of one proposal."""
    if standing is None:
        return Outcome.ACCEPTED
    same = proposal.content_hash == standing.content_hash
    if proposal.order_key > standing.seen_revision:
        return Outcome.UNCHANGED if same else Outcome.ACCEPTED
    if proposal.order_key < standing.seen_revision:
        return Outcome.OLDER
    return Outcome.UNCHANGED if same else Outcome.CONFLICT


def decide_all(standing: Standing | None, proposals: Sequence[Proposal]) -> Decision:
    """Decide several proposals about one record at once, as if the newest had arrived first.

    At most one is accepted; so the result is that of any order of arrival, except that equal
    versions with different content are a conflict whose first comer stands until decided.
    """
    outcomes: list[Outcome] = [Outcome.OLDER] * len(proposals)
    accepted = None
    newest_first = sorted(range(len(proposals)), key=lambda i: -proposals[i].order_key)
    for index in newest_first:
        outcomes[index] = decide(standing, proposals[index])
        if outcomes[index] is Outcome.ACCEPTED:
            accepted = index
            standing = follow(standing, proposals[index])
        elif outcomes[index] is Outcome.UNCHANGED and standing is not None:
            seen = max(standing.seen_revision, proposals[index].order_key)
            standing = replace(standing, seen_revision=seen)
    if standing is None:
        raise ValueError("nothing was proposed")
    return Decision(tuple(outcomes), standing, accepted)


def follow(standing: Standing | None, proposal: Proposal) -> Standing:
    """Return where a record stands once ``proposal`` has taken effect."""
    least = 0 if standing is None else standing.revision + 1
    return Standing(
        revision=max(proposal.order_key, least),
        seen_revision=proposal.order_key,
        content_hash=proposal.content_hash,
    )
