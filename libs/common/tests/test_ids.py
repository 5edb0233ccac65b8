"""Derived ids: the same parts always, other parts never."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.ids import content_hash, derive_id, derive_key, ordered_id, random_id

parts = st.lists(
    st.text(alphabet=st.sampled_from("ab\x1e\x1f"), max_size=4), min_size=1, max_size=4
)


def test_ids_of_the_past_stay() -> None:
    """These values are in databases and ledgers; a change of the formula would post twice."""
    assert derive_id("acme", "toggl", "time_entry", "20871") == (
        "3b4c4105-c3b7-56be-b487-1be8039d74ac"
    )
    assert derive_key("acme", "toggl", length=23) == "3ede08a360d5be5922f0910"


@given(parts, parts)
def test_different_parts_give_different_ids(one: list[str], other: list[str]) -> None:
    assert (derive_id(*one) == derive_id(*other)) == (one == other)
    assert (derive_key(*one) == derive_key(*other)) == (one == other)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x1e\x1f")), min_size=1))
def test_an_id_is_a_version_5_uuid_of_the_joined_parts(names: list[str]) -> None:
    namespace = uuid.UUID("6f1c9a52-6f0e-5c53-9d3e-2f1b8d4f7a10")

    assert derive_id(*names) == str(uuid.uuid5(namespace, "\x1f".join(names)))


def test_ids_are_uuids_and_keys_have_the_asked_length() -> None:
    assert str(uuid.UUID(derive_id("a"))) == derive_id("a")
    assert [len(derive_key("a", length=length)) for length in (23, 32, 36, 50, 64)] == [
        23,
        32,
        36,
        50,
        64,
    ]


def test_a_content_hash_is_sha_256() -> None:
    assert content_hash(b"abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_random_ids_differ() -> None:
    assert random_id() != random_id()


@given(st.integers(0, 2**48 - 2))
def test_ordered_ids_sort_by_time_and_are_uuids(milliseconds: int) -> None:
    earlier, later = ordered_id(milliseconds), ordered_id(milliseconds + 1)
    assert earlier < later
    assert (uuid.UUID(earlier).version, uuid.UUID(earlier).variant) == (7, uuid.RFC_4122)
    assert ordered_id(milliseconds) != earlier
