"""Which acknowledgements one frame can carry, and which headers are ours to read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.bus.link import Backoff
from hourbridge.common.bus.subscription import scalar_headers, settlement_plan


@pytest.mark.parametrize(
    ("unsettled", "tags", "plan"),
    [
        ([1, 2, 3], {1, 2, 3}, (3, [])),
        ([1, 2, 3], {1, 2}, (2, [])),
        ([1, 2, 3], {2, 3}, (None, [2, 3])),
        ([1, 2, 3, 5, 6], {1, 3, 5}, (1, [3, 5])),
        ([4, 7], {4, 7}, (7, [])),
        ([4], set(), (None, [])),
    ],
)
def test_a_leading_run_is_settled_by_one_frame(
    unsettled: list[int], tags: set[int], plan: tuple[int | None, list[int]]
) -> None:
    assert settlement_plan(unsettled, tags) == plan


@given(st.sets(st.integers(1, 40)), st.data())
def test_exactly_the_given_tags_are_settled(unsettled: set[int], data: st.DataObject) -> None:
    ordered = sorted(unsettled)
    tags = data.draw(st.sets(st.sampled_from(ordered))) if ordered else set()
    prefix, singles = settlement_plan(ordered, tags)
    by_prefix = {tag for tag in ordered if prefix is not None and tag <= prefix}
    assert by_prefix | set(singles) == tags
    assert by_prefix.isdisjoint(singles)


def test_only_text_and_integers_are_read() -> None:
    raw = {
        "book": "acme",
        "x-delivery-count": 2,
        "flag": True,
        "x-death": [{"count": 1}],
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "bytes": b"\x00",
    }
    assert scalar_headers(raw) == {"book": "acme", "x-delivery-count": 2, "flag": 1}
    assert scalar_headers(None) == {}


def test_backoff_doubles_with_jitter_up_to_its_limit() -> None:
    backoff = Backoff(1.0, 8.0)
    delays = [backoff.next_delay() for _ in range(6)]
    for delay, step in zip(delays, (1, 2, 4, 8, 8, 8), strict=True):
        assert step / 2 <= delay <= step
    backoff.reset()
    assert backoff.next_delay() <= 1.0
