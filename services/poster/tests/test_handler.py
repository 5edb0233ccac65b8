"""What arrives: newest wins, in any order and however often; the watermark knows what lacks."""

from __future__ import annotations

import json

import pytest

from hourbridge.common.book import InvoicingPolicy
from hourbridge.poster import positions
from hourbridge.poster.configurations import configuration_of, correction_policy
from tests.support.charges import hours, make_charge
from tests.support.posting import BOOK, Poster, charge_set, configured, in_place_for

STATE = "SELECT charge_id, record_revision, mapping_version, state, payload FROM charge ORDER BY 1"


def watermark(poster: Poster) -> int:
    with poster.store.transaction() as connection:
        return positions.watermark(connection, BOOK)


def stream() -> list:  # type: ignore[type-arg]
    """Four records, some changed, remapped or withdrawn: sequence numbers 1 to 9."""
    plan = [
        ("a", 1, 1, "1"),
        ("b", 1, 1, "2"),
        ("a", 2, 1, "3"),
        ("c", 1, 1, "1"),
        ("a", 2, 2, "4"),
        ("b", 2, 1, None),
        ("d", 1, 1, "5"),
        ("c", 3, 1, "2"),
        ("c", 2, 9, "7"),
    ]
    return [
        charge_set(
            record,
            [make_charge(record, hours(length))] if length else [],
            revision,
            mapping,
            (number,),
        )
        for number, (record, revision, mapping, length) in enumerate(plan, start=1)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_any_order_any_number_of_times_gives_one_state(poster: Poster, seed: int) -> None:
    poster.feed_shuffled(stream(), seed)
    rows = {row.charge_id: row for row in poster.rows(STATE)}
    assert {c: (r.record_revision, r.mapping_version) for c, r in rows.items()} == {
        "a": (2, 2),
        "c": (3, 1),
        "d": (1, 1),
    }
    assert json.loads(rows["a"].payload)["billable_seconds"] == hours("4")
    assert {row.state for row in rows.values()} == {"unbilled"}
    assert watermark(poster) == 9
    assert poster.rows("SELECT * FROM position_ahead") == []


def test_the_watermark_stops_at_what_is_missing(poster: Poster) -> None:
    poster.feed(charge_set("a", [], covers=(1, 2, 5, 6)), charge_set("b", [], covers=(8,)))
    assert watermark(poster) == 2
    poster.feed(charge_set("c", [], covers=(3,)), charge_set("d", [], covers=(7,)))
    assert watermark(poster) == 3
    poster.feed(charge_set("e", [], covers=(4, 4, 1)))
    assert watermark(poster) == 8


def test_stale_messages_settle_their_numbers_too(poster: Poster) -> None:
    poster.feed(charge_set("a", [make_charge("a")], 5, 1, (2,)))
    poster.feed(charge_set("a", [], 4, 1, (1,)))
    assert watermark(poster) == 2
    assert poster.states() == {"a": "unbilled"}


def test_books_do_not_see_each_other(poster: Poster) -> None:
    poster.feed(charge_set("x", [make_charge("x")], covers=(1, 2, 3), book="other"))
    assert watermark(poster) == 0
    assert poster.bill().documents == []


def test_the_newest_configuration_is_kept(poster: Poster) -> None:
    poster.feed(configured(3), configured(2), configured(3))
    poster.feed(configured(2))
    with poster.store.transaction() as connection:
        held = configuration_of(connection, BOOK)
        assert held is not None
        assert held.version == 3
        assert configuration_of(connection, "unknown") is None


def test_correction_policies_come_from_the_narrowest_scope(poster: Poster) -> None:
    poster.feed(configured(2, clients=(in_place_for("Acme"),)))
    with poster.store.transaction() as connection:
        held = configuration_of(connection, BOOK)
    assert held is not None
    for client, mode in (("Acme", "update_in_place"), ("Bolt", "credit_memo")):
        policy = correction_policy(held.configuration, make_charge(client=client))
        assert policy.mode == mode


def test_approve_unapprove_approve_out_of_order(poster: Poster) -> None:
    """Versions 1, 3, 2: the final state is version 3, and there is one document."""
    poster.feed(charge_set("a", [make_charge("a", hours("1"))], 1, 1, (1,)))
    poster.feed(charge_set("a", [make_charge("a", hours("2"))], 3, 1, (3,)))
    poster.feed(charge_set("a", [], 2, 1, (2,)))
    poster.bill()
    assert poster.document().lines[0].billed_seconds == hours("2")
    poster.post()
    poster.settle()
    assert len(poster.documents()) == 1


def test_mapping_changes_reach_unbilled_work_only(poster: Poster) -> None:
    poster.charge(make_charge("a"))
    poster.bill()
    poster.post()
    poster.charge(make_charge("a", rate="200.00"), mapping=2)
    poster.charge(make_charge("b", rate="200.00", invoicing=InvoicingPolicy()), mapping=2)
    poster.settle()
    assert len(poster.documents()) == 1
    assert poster.states() == {"a": "billed", "b": "unbilled"}
