"""Whatever people do on whichever side: carrying plans out comes to rest, and loses no link."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hourbridge.matching.entry import LEDGER
from hourbridge.matching.names import canonical
from libs.matching.tests.worlds import World, client, customer, entry, policy, project

NAMES = st.sampled_from(
    ["Acme", "ACME", " acme ", "Acme Corp.", "Birch", "Birch: West", "Cedar\tHill", "Ünal & Söhne"]
)
SOURCES = ("bigtime", "toggl")
DIRECTIONS = st.sampled_from(["none", "source_to_ledger", "ledger_to_source", "both"])
WINNERS = st.sampled_from(["ledger", "source", "hold"])


@st.composite
def rules(draw: st.DrawFn, list_name: str, source: str | None) -> dict[str, Any]:
    return {
        "list": list_name,
        "source": source,
        "direction": draw(DIRECTIONS),
        "winner": draw(WINNERS),
        "inactivate": draw(st.booleans()),
        "on_collision": draw(st.sampled_from(["rename", "hold"])),
        "customer_projects": draw(st.sampled_from(["always", "without_jobs", "never"])),
        "approval": "automatic",
    }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    own = [draw(rules("client", source)) for source in SOURCES]
    world = World(
        policy(*own, draw(rules("project", None)), draw(rules("vendor", None))),
        sources=SOURCES,
        name_characters_max=draw(st.sampled_from([6, 1000])),
    )
    for source in SOURCES:
        for number in range(draw(st.integers(0, 3))):
            active = draw(st.booleans())
            world.add(client(f"c{number}", draw(NAMES), side=source, is_active=active))
            if draw(st.booleans()):
                world.add(project(f"p{number}", draw(NAMES), f"c{number}", side=source))
    for number in range(draw(st.integers(0, 3))):
        world.add(customer(f"{number}", draw(NAMES), is_active=draw(st.booleans())))
        if draw(st.booleans()):
            world.add(customer(f"{number}j", draw(NAMES), parent_id=f"{number}"))
    if draw(st.booleans()):
        world.add(entry(LEDGER, "vendor", "v1", draw(NAMES)))
    return world


def disturb(world: World, data: st.DataObject) -> None:
    """Let people rename, close and merge entries on any side."""
    for key in sorted(world.entries):
        what = data.draw(st.sampled_from(["nothing", "nothing", "rename", "toggle", "merge"]))
        if what == "rename":
            world.change(key, name=data.draw(NAMES))
        elif what == "toggle":
            world.change(key, is_active=not world.entries[key].is_active)
        elif what == "merge" and key[0] == LEDGER and key[1] == "customer":
            others = [k for k in sorted(world.entries) if k[:2] == key[:2] and k != key]
            if others:
                world.change(key, is_gone=True, merged_into=data.draw(st.sampled_from(others))[2])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds(), data=st.data())
def test_plans_come_to_rest_and_stay_there(world: World, data: st.DataObject) -> None:
    world.settle()
    disturb(world, data)
    world.settle()
    assert world.carry_out(world.plan()) == 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_no_write_makes_two_of_one_name_in_the_ledger(world: World) -> None:
    def names() -> list[str]:
        return [canonical(e.name) for e in world.entries.values() if e.side == LEDGER]

    before = len(names()) - len(set(names()))
    uncut = world.name_characters_max == 1000
    world.settle()
    if uncut:
        assert len(names()) - len(set(names())) <= before


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(world=worlds())
def test_every_link_leads_to_something_and_no_two_of_a_list_to_the_same(world: World) -> None:
    world.settle()
    ends = []
    for link in world.links.values():
        assert (link.source, link.list_name, link.entry_id) in world.entries
        assert (LEDGER, link.ledger_list, link.ledger_id) in world.entries
        if link.how != "client":
            ends.append((link.source, link.list_name, link.ledger_list, link.ledger_id))
    assert len(ends) == len(set(ends))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    own=st.tuples(rules("client", "bigtime"), rules("client", "toggl")),
    renames=st.lists(st.tuples(st.integers(0, 2), NAMES, st.booleans()), max_size=4),
)
def test_two_trackers_that_share_a_customer_come_to_rest(
    own: tuple[dict[str, Any], dict[str, Any]], renames: list[tuple[int, str, bool]]
) -> None:
    world = World(policy(*own), sources=SOURCES).add(
        client("c", "Acme", side="bigtime"),
        client("c", "Acme", side="toggl"),
        customer("1", "Acme"),
    )
    world.settle()
    assert len(world.links) == 2
    keys = sorted(world.entries)
    for at, name, settles in renames:
        world.change(keys[at], name=name)
        if settles:
            world.settle()
    world.settle()
    assert len(world.links) == 2
