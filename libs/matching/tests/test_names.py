"""Names: how ledgers compare them, what they refuse, and which are nearly the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.matching.names import (
    accepted,
    canonical,
    characters_max,
    from_template,
    refused_characters,
    tidy,
    without_deleted,
    words,
)
from hourbridge.matching.similarity import near_pairs, similarity_percent

LISTS = ("customer", "item", "term", "account")


@pytest.mark.parametrize(
    ("given_name", "expected"),
    [
        ("Acme: West", "Acme - West"),
        ("a\tb\nc", "a b c"),
        (":Acme:", "Acme"),
        ("Zoe\u0301", "Zo\u00e9"),
        ("🚀 Rocket", "🚀 Rocket"),
    ],
)
def test_names_as_the_ledger_takes_them(given_name: str, expected: str) -> None:
    assert accepted(given_name, "customer") == expected


def test_quotes_are_refused_where_they_are() -> None:
    assert accepted('6" pipe', "item") == "6' pipe"
    assert accepted('6" pipe', "customer") == '6" pipe'
    assert refused_characters('a:b"c', "account") == ':"'


@given(st.text(max_size=300), st.sampled_from(LISTS))
def test_what_is_accepted_fits_and_stays(text: str, ledger_list: str) -> None:
    name = accepted(text, ledger_list)
    assert accepted(name, ledger_list) == name
    assert len(name) <= characters_max(ledger_list)
    assert refused_characters(name, ledger_list) == ""


@given(st.text(max_size=40))
def test_case_and_outer_space_do_not_tell_names_apart(text: str) -> None:
    assert canonical(f"  {text} ") == canonical(text)
    assert canonical(canonical(text)) == canonical(text)
    assert tidy(tidy(text)) == tidy(text)


@pytest.mark.parametrize("name", ["Acme (deleted)", "Acme (deleted) 2", "Acme (DELETED 3)"])
def test_the_mark_of_deletion_is_taken_off(name: str) -> None:
    assert without_deleted(name) == "Acme"


def test_a_template_leaves_no_gap() -> None:
    made = from_template("{client} - {name}", name="Site", client="", code="", id="7")
    assert made == "Site"
    assert from_template("{name} ({code})", name="Site", client="", code="", id="7") == "Site"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Inc.", "ACME, Incorporated"),
        ("Müller GmbH", "Muller"),
        ("Smith & Sons", "Sons and Smith"),
        ("I.B.M. Corp", "IBM"),
        ("The Walt Disney Company", "Walt Disney Co"),
        ("Northwind Traders", "Northwind Trader"),
        ("Straße Bau", "Strasse Bau KG"),
    ],
)
def test_near_names(one: str, other: str) -> None:
    assert similarity_percent(one, other) >= 85


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Phase 1", "Phase 2"),
        ("IBM", "ICM"),
        ("Northwind", "Southwind"),
        ("Alpha Consulting", "Beta Consulting"),
        ("2025 Audit", "2026 Audit"),
    ],
)
def test_names_that_only_look_alike(one: str, other: str) -> None:
    assert similarity_percent(one, other) < 85


@given(st.lists(st.text(max_size=12), max_size=6))
def test_pairs_are_found_once_and_whatever_the_order(names: list[str]) -> None:
    keyed = {str(at): name for at, name in enumerate(names)}
    backwards = dict(reversed(keyed.items()))
    found = {frozenset((pair.one, pair.other)) for pair in near_pairs(keyed)}
    assert found == {frozenset((pair.one, pair.other)) for pair in near_pairs(backwards)}
    assert len(found) == len(near_pairs(keyed))
    same = [(a, b) for a in keyed for b in keyed if a < b and words(keyed[a]) == words(keyed[b])]
    assert {frozenset(pair) for pair in same} <= found


def test_ten_thousand_names_are_compared_in_seconds() -> None:
    many = {str(n): f"Client {n * 7919 % 100_003} {n} Holdings" for n in range(10_000)}
    many["x"] = "Northwind Traders Ltd"
    many["y"] = "Northwind Trader"
    assert [(pair.one, pair.other) for pair in near_pairs(many)] == [("x", "y")]
