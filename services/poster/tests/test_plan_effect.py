"""What a plan would change: priced for unposted work, nothing for what is posted."""

from __future__ import annotations

import pytest

from hourbridge.poster.plan_effect import PlanApi, RecordChange, effect
from tests.support.charges import hours, make_charge, make_expense, rounding
from tests.support.posting import BOOK, Poster


def change(record_id: str, seconds: int, step_minutes: int, client: str = "Acme") -> RecordChange:
    before = make_charge(record_id, seconds, client=client)
    after = make_charge(record_id, seconds, client=client, rounding=rounding(step_minutes))
    return RecordChange(record_id=record_id, before=(before,), after=(after,))


def test_both_sets_of_charges_are_priced_by_the_rules_of_billing() -> None:
    changes = [change("a", 400, 15), change("b", 2_000, 15), change("c", 500, 10, "Birch")]
    found = effect(changes, posted=set())
    assert found["unposted"] == 3
    acme, birch = found["clients"]
    assert (acme["before"]["amount"], acme["after"]["amount"]) == ("105.00", "75.00")
    assert (birch["before"]["billed_seconds"], birch["after"]["billed_seconds"]) == (360, 600)


def test_posted_records_stay_as_they_are() -> None:
    found = effect([change("a", 400, 15), change("b", 2_000, 15)], posted={"a", "b"})
    assert (found["posted_unchanged"], found["unposted"], found["clients"]) == (2, 0, [])


def test_records_that_gain_or_lose_their_charges() -> None:
    expense = make_expense("e1", "80.00")
    gained = RecordChange(record_id="e1", after=(expense,))
    (row,) = effect([gained], posted=set())["clients"]
    assert (row["before"]["amount"], row["after"]["amount"]) == ("0", "80.00")


@pytest.mark.database
def test_what_is_posted_is_known_here(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("1")), make_charge("b", hours("1"), client="Birch"))
    poster.bill(client="Acme")
    poster.post()
    changes = (change("a", 3_600, 60), change("b", 3_600, 120, "Birch"))
    answer = PlanApi(poster.store)._answer(BOOK, changes)
    assert (answer["posted_unchanged"], answer["unposted"]) == (1, 1)
    assert [row["client"] for row in answer["clients"]] == ["Birch"]
