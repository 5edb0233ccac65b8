"""Readable cases: what is linked, made, renamed, held, and what is left alone."""

from __future__ import annotations

import pytest

from hourbridge.matching.entry import LEDGER, StatedLink
from hourbridge.matching.state import OpenWrite
from libs.matching.tests.worlds import SOURCE, World, client, customer, entry, policy, project

OUT = {"direction": "source_to_ledger", "approval": "automatic"}
IN = {"direction": "ledger_to_source", "approval": "automatic"}
BOTH = {"direction": "both", "approval": "automatic"}
CLIENTS_OUT = {"list": "client", **OUT}
PROJECTS_OUT = {"list": "project", **OUT}


def ledger_names(world: World) -> dict[str, str | None]:
    return {
        e.name: e.parent_id for e in world.entries.values() if e.key[:2] == (LEDGER, "customer")
    }


def linked(world: World) -> dict[str, str]:
    return {link.entry_id: link.ledger_id for link in world.links.values()}


def codes(world: World) -> list[str]:
    return [hold.code for hold in world.plan().holds]


def test_by_default_exact_names_are_linked_and_nothing_is_written() -> None:
    world = World(policy()).add(
        client("c1", " acme"),
        client("c2", "Birch"),
        customer("17", "Acme"),
        customer("18", "Cedar"),
    )
    plan = world.plan()
    assert [(n.link.entry_id, n.link.ledger_id, n.link.how) for n in plan.links] == [
        ("c1", "17", "name")
    ]
    assert plan.changes == []


def test_a_new_client_with_its_projects_goes_to_the_ledger_parents_first() -> None:
    world = World(policy(CLIENTS_OUT, PROJECTS_OUT)).add(
        client("c1", "Acme"), project("p1", "Website", "c1"), project("p2", "Audit", "c1")
    )
    first = world.plan()
    assert [(c.kind, c.name) for c in first.changes] == [("create", "Acme")]
    assert len(first.waiting) == 2
    world.settle()
    acme = linked(world)["c1"]
    assert ledger_names(world) == {"Acme": None, "Website": acme, "Audit": acme}
    assert world.plan().changes == []


def test_projects_of_the_same_name_get_distinguishing_names() -> None:
    world = World(policy(CLIENTS_OUT, PROJECTS_OUT)).add(
        client("c1", "Acme"),
        client("c2", "Birch"),
        project("p1", "Website", "c1"),
        project("p2", "Website", "c2"),
    )
    world.settle()
    assert set(ledger_names(world)) == {"Acme", "Birch", "Website", "Birch - Website"}


def test_jobs_made_by_template_elsewhere_are_recognised() -> None:
    world = World(policy(CLIENTS_OUT, PROJECTS_OUT)).add(
        client("c1", "Acme"),
        project("p1", "Website", "c1"),
        customer("1", "Acme"),
        customer("2", "Acme - Website", parent_id="1"),
    )
    world.settle()
    assert linked(world) == {"c1": "1", "p1": "2"}
    assert set(ledger_names(world)) == {"Acme", "Acme - Website"}


@pytest.mark.parametrize("is_active", [True, False])
def test_a_name_that_a_vendor_has_is_not_used_twice(is_active: bool) -> None:
    world = World(policy(CLIENTS_OUT)).add(
        client("c1", "Acme"), entry(LEDGER, "vendor", "9", "ACME", is_active=is_active)
    )
    [change] = world.plan().changes
    assert change.name == "Acme (C)"
    assert [reason.code for reason in change.reasons] == ["missing", "name_collision"]


def test_a_collision_is_held_when_the_rule_says_so() -> None:
    world = World(policy({**CLIENTS_OUT, "on_collision": "hold"})).add(
        client("c1", "Acme"), entry(LEDGER, "vendor", "9", "Acme")
    )
    plan = world.plan()
    assert plan.changes == []
    assert "the ledger has the vendor 'Acme' (9) already" in plan.holds[0].detail


def test_colons_tabs_and_length_are_adapted_and_come_to_rest() -> None:
    world = World(policy(CLIENTS_OUT), name_characters_max=40).add(
        client("c1", "Acme: West\tCoast"), client("c2", "x" * 300)
    )
    world.settle()
    assert set(ledger_names(world)) == {"Acme - West Coast", "x" * 40}


def test_a_deleted_mark_is_no_part_of_the_name() -> None:
    world = World(policy({**CLIENTS_OUT, "inactivate": True})).add(
        client("c1", "Acme", is_active=False), customer("1", "Acme (deleted)", is_active=False)
    )
    world.settle()
    world.change((SOURCE, "client", "c1"), is_active=True)
    [change] = world.plan().changes
    assert (change.kind, change.name) == ("reactivate", "Acme")


def test_an_active_client_is_not_tied_to_an_inactive_customer() -> None:
    world = World(policy()).add(
        client("c1", "Acme"), customer("1", "Acme (deleted)", is_active=False)
    )
    assert linked(world) == {}
    assert codes(world) == ["inactive_match"]


def test_two_clients_of_one_name_are_held() -> None:
    world = World(policy(CLIENTS_OUT)).add(
        client("c1", "Acme"), client("c2", "acme "), customer("1", "Acme")
    )
    plan = world.plan()
    assert (plan.links, plan.changes) == ([], [])
    assert [hold.code for hold in plan.holds] == ["ambiguous"]


def test_what_the_tracker_states_comes_before_names() -> None:
    stated = (StatedLink("customer", "2"),)
    world = World(policy()).add(
        client("c1", "Acme", stated_links=stated), customer("1", "Acme"), customer("2", "Acme Corp")
    )
    [new] = world.plan().links
    assert (new.link.ledger_id, new.link.how) == ("2", "stated")


def test_a_stated_link_that_leads_nowhere_is_held() -> None:
    stated = (StatedLink("customer", "99"),)
    world = World(policy()).add(client("c1", "Acme", stated_links=stated), customer("1", "Acme"))
    assert world.plan().links == []
    assert codes(world) == ["stated_link_lost"]


def test_near_names_are_only_suggested() -> None:
    world = World(policy(CLIENTS_OUT)).add(
        client("c1", "The Acme Co., Ltd."), customer("1", "ACME Inc")
    )
    plan = world.plan()
    assert plan.links == []
    assert [(s.ledger_id, s.percent) for s in plan.suggestions] == [("1", 100)]
    [change] = plan.changes
    assert change.needs_approval
    assert change.reasons[-1].code == "near_name"


def test_a_rename_keeps_the_link_and_flows() -> None:
    world = World(policy(CLIENTS_OUT)).add(client("c1", "Acme"), customer("1", "Acme"))
    world.settle()
    world.change((SOURCE, "client", "c1"), name="Acme International")
    world.settle()
    assert ledger_names(world) == {"Acme International": None}


def test_a_rename_in_the_ledger_stands_where_it_wins() -> None:
    world = World(policy(CLIENTS_OUT)).add(client("c1", "Acme"), customer("1", "Acme"))
    world.settle()
    world.change((LEDGER, "customer", "1"), name="Acme Corp")
    plan = world.plan()
    assert plan.changes == []
    assert [difference.field for difference in plan.differences] == ["name"]


def test_a_change_on_both_sides_is_decided_and_told() -> None:
    world = World(policy({**BOTH, "list": "client", "winner": "source"})).add(
        client("c1", "Acme"), customer("1", "Acme")
    )
    world.settle()
    world.change((SOURCE, "client", "c1"), name="Acme One")
    world.change((LEDGER, "customer", "1"), name="Acme Two")
    [change] = world.plan().changes
    assert (change.side, change.name) == (LEDGER, "Acme One")
    assert change.reasons[0].code == "conflict_decided"


def test_a_conflict_waits_where_nobody_wins() -> None:
    world = World(policy({**BOTH, "list": "client", "winners": {"name": "hold"}})).add(
        client("c1", "Acme"), customer("1", "Acme")
    )
    world.settle()
    world.change((SOURCE, "client", "c1"), name="Acme One")
    world.change((LEDGER, "customer", "1"), name="Acme Two")
    assert world.plan().changes == []
    assert codes(world) == ["conflict"]


def test_merged_customers_move_their_links() -> None:
    world = World(policy()).add(
        client("c1", "Acme"), client("c2", "Acne"), customer("1", "Acme"), customer("2", "Acne")
    )
    world.settle()
    world.change((LEDGER, "customer", "2"), is_gone=True, merged_into="1")
    world.settle()
    assert linked(world) == {"c1": "1", "c2": "1"}


def test_customers_come_in_as_client_and_project_and_jobs_by_the_lowest_level() -> None:
    world = World(policy({**IN, "list": "client"}, {**IN, "list": "project"})).add(
        customer("1", "Acme"),
        customer("2", "Site", parent_id="1", full_name="Acme:Site"),
        customer("3", "Phase 1", parent_id="2", full_name="Acme:Site:Phase 1"),
        customer("4", "Birch"),
    )
    world.settle()
    made = {
        (e.list_name, e.name, e.is_synthetic) for e in world.entries.values() if e.side == SOURCE
    }
    assert made == {
        ("client", "Acme", False),
        ("client", "Birch", False),
        ("project", "Acme", True),
        ("project", "Birch", True),
        ("project", "Phase 1", False),
    }


def test_blocked_jobs_stay_out_however_often_they_are_synchronised() -> None:
    rules = ({**IN, "list": "client"}, {**IN, "list": "project", "customer_projects": "never"})
    world = World(policy(*rules)).add(
        customer("1", "Acme"),
        customer("2", "Old", parent_id="1"),
        customer("3", "New", parent_id="1"),
    )
    marks = {(LEDGER, "customer", "2"): "blocked"}
    for _ in range(3):
        world.carry_out(world.plan(marks=marks))
    assert [e.name for e in world.entries.values() if e.list_name == "project"] == ["New"]


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ({"allow": ["Acme*"]}, {"Acme", "Acme West"}),
        ({"block": ["id:c2"]}, {"Acme", "Birch"}),
        ({"allow": ["acme*"], "block": ["*west"]}, {"Acme"}),
    ],
)
def test_patterns_choose_what_comes_across(rule: dict[str, list[str]], names: set[str]) -> None:
    world = World(policy({**CLIENTS_OUT, **rule})).add(
        client("c1", "Acme"), client("c2", "Acme West"), client("c3", "Birch")
    )
    world.settle()
    assert set(ledger_names(world)) == names


def test_inactivation_flows_only_where_the_policy_says_so() -> None:
    for rule, expected in (({}, []), ({"inactivate": True}, ["inactivate"])):
        world = World(policy({**CLIENTS_OUT, **rule})).add(
            client("c1", "Acme"), customer("1", "Acme")
        )
        world.settle()
        world.change((SOURCE, "client", "c1"), is_active=False)
        assert [change.kind for change in world.plan().changes] == expected


def test_our_own_new_customer_is_not_made_a_client_before_the_answer_is_in() -> None:
    world = World(policy({**BOTH, "list": "client"})).add(
        client("c1", "Acme"), entry(LEDGER, "vendor", "9", "Acme"), customer("50", "Acme (C)")
    )
    under_way = OpenWrite(LEDGER, "customer", None, "Acme (C)", (SOURCE, "client", "c1"))
    plan = world.plan(open_writes=(under_way,))
    assert plan.changes == []


def test_contractors_linked_to_a_vendor_get_no_employee() -> None:
    world = World(policy({"list": "staff", **OUT})).add(
        entry(SOURCE, "staff", "s1", "Ann Doe", stated_links=(StatedLink("vendor", "9"),)),
        entry(SOURCE, "staff", "s2", "Bob Roe"),
        entry(LEDGER, "vendor", "9", "Ann Doe Consulting"),
    )
    plan = world.plan()
    assert [(c.list_name, c.name) for c in plan.changes] == [("employee", "Bob Roe")]


def test_a_project_that_went_to_another_client_is_held() -> None:
    world = World(policy()).add(
        client("c1", "Acme"),
        client("c2", "Birch"),
        project("p1", "Site", "c1"),
        customer("1", "Acme"),
        customer("2", "Birch"),
        customer("3", "Site", parent_id="1"),
    )
    world.settle()
    world.change((SOURCE, "project", "p1"), owner_id="c2")
    assert codes(world) == ["other_client"]
