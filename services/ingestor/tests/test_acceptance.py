"""What becomes of statements: the rules, whatever the order of arrival."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.ingestor.acceptance import (
    Decision,
    Outcome,
    Proposal,
    Standing,
    decide,
    decide_all,
)

STANDING = Standing(revision=5, seen_revision=7, content_hash="x")

DISTINCT_VERSIONS = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from("xyz")), min_size=1, max_size=6
).map(lambda pairs: [Proposal(key, text) for key, text in dict(pairs).items()])


@pytest.mark.parametrize(
    ("key", "content", "expected"),
    [
        (8, "y", Outcome.ACCEPTED),
        (8, "x", Outcome.UNCHANGED),
        (7, "x", Outcome.UNCHANGED),
        (7, "y", Outcome.CONFLICT),
        (6, "y", Outcome.OLDER),
        (6, "x", Outcome.OLDER),
    ],
)
def test_one_statement_about_a_known_record(key: int, content: str, expected: Outcome) -> None:
    assert decide(STANDING, Proposal(key, content)) is expected


def test_the_first_statement_is_accepted() -> None:
    assert decide(None, Proposal(1, "x")) is Outcome.ACCEPTED


def test_of_several_revisions_in_one_batch_only_the_newest_takes_effect() -> None:
    proposals = [Proposal(1, "x"), Proposal(3, "z"), Proposal(2, "y"), Proposal(3, "z")]
    decision = decide_all(None, proposals)
    assert decision.accepted == 1
    assert decision.outcomes == (
        Outcome.OLDER,
        Outcome.ACCEPTED,
        Outcome.OLDER,
        Outcome.UNCHANGED,
    )


def test_equal_versions_with_other_content_are_a_conflict_that_changes_nothing() -> None:
    decision = decide_all(None, [Proposal(1, "x"), Proposal(1, "y")])
    assert decision.outcomes == (Outcome.ACCEPTED, Outcome.CONFLICT)
    assert decision.standing.content_hash == "x"


def test_known_content_under_a_newer_version_is_remembered() -> None:
    decision = decide_all(STANDING, [Proposal(9, "x")])
    assert decision.outcomes == (Outcome.UNCHANGED,)
    assert decision.standing == Standing(revision=5, seen_revision=9, content_hash="x")
    assert decide(decision.standing, Proposal(8, "y")) is Outcome.OLDER


def test_a_revision_grows_even_where_a_decided_conflict_has_run_ahead_of_versions() -> None:
    ahead = Standing(revision=9, seen_revision=7, content_hash="x")
    assert decide_all(ahead, [Proposal(8, "y")]).standing.revision == 10


def one_by_one(proposals: list[Proposal]) -> Standing:
    standing: Standing | None = None
    for proposal in proposals:
        decision: Decision = decide_all(standing, [proposal])
        standing = decision.standing
    assert standing is not None
    return standing


@given(DISTINCT_VERSIONS)
def test_every_order_of_arrival_leads_to_the_same_content_and_version(
    proposals: list[Proposal],
) -> None:
    found = {
        (standing.content_hash, standing.seen_revision)
        for standing in (one_by_one(list(order)) for order in permutations(proposals[:5]))
    }
    assert len(found) == 1


@given(DISTINCT_VERSIONS, st.data())
def test_batches_decide_as_single_statements_do(
    proposals: list[Proposal], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(proposals))
    at_once = decide_all(None, order).standing
    singly = one_by_one(list(order))
    assert (at_once.content_hash, at_once.seen_revision) == (
        singly.content_hash,
        singly.seen_revision,
    )


@given(DISTINCT_VERSIONS)
def test_twice_is_once(proposals: list[Proposal]) -> None:
    once = decide_all(None, proposals)
    again = decide_all(once.standing, proposals)
    assert again.accepted is None
    assert again.standing == once.standing
    assert Outcome.CONFLICT not in again.outcomes
