"""From a new client in the tracker to a charge on a customer that we made, without any rule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hourbridge.common import faults
from hourbridge.common.errors import TransientFailure
from hourbridge.common.messages.events import ChargeSetChanged, MappingOutcome
from services.mapper.tests.lists.lists_bench import (
    CLIENTS_OUT,
    OUT,
    ListsBench,
    client,
    customer,
    done,
    hour,
    labor_code,
    ledger_entry,
    project,
    requested,
)
from tests.support.mapping import BOOK

pytestmark = pytest.mark.database

SERVICE = ledger_entry("item", "5", "Design", type="Service", attributes={"UnitPrice": "90.00"})


def stored(lists: ListsBench) -> list[ChargeSetChanged]:
    rows = lists.bench.rows("charge_set", order="record_id")
    sets = [ChargeSetChanged.model_validate_json(row[0]) for row in rows]
    return [each for each in sets if each.outcome is not MappingOutcome.NOTED]


def test_a_client_known_by_name_needs_no_rule(lists: ListsBench) -> None:
    lists.apply()
    lists.learn(client("c1", "Acme"), project("p1", "Website", "c1"), labor_code("l1", "Design"))
    lists.learn(customer("17", "Acme"), customer("18", "Website", parent_id="17"), SERVICE)
    assert lists.plan() == []
    assert lists.links() == {
        "client c1": "customer 17",
        "project p1": "customer 18",
        "labor_code l1": "item 5",
    }
    [change] = lists.bench.feed(lists.bench.accept(hour(), source="firm"))
    [charge] = change.charges
    assert (charge.customer.id, charge.job and charge.job.id) == ("17", "18")
    assert charge.item is not None and charge.item.id == "5"


def test_a_new_client_is_made_in_the_ledger_and_its_waiting_hours_go_on(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE)
    lists.learn(client("c1", "Acme"), project("p1", "Website", "c1"), labor_code("l1", "Design"))
    lists.bench.feed(lists.bench.accept(hour(), source="firm"))
    assert [each.outcome for each in stored(lists)] == [MappingOutcome.PARKED]
    lists.sync()
    made = [(r.kind, r.list_name, r.wanted.name, r.wanted.parent_id) for r in lists.requests]
    assert made == [("create", "customer", "Acme", None), ("create", "customer", "Website", "900")]
    [change] = stored(lists)
    assert change.outcome is MappingOutcome.CHARGED
    [charge] = change.charges
    assert (charge.customer.id, charge.job and charge.job.id) == ("900", "901")


def test_each_wanted_state_is_requested_once(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE, client("c1", "Acme"))
    [asked] = lists.plan()
    for _ in range(3):
        lists.actions.sync(BOOK, actor="ann")
        assert lists.plan() == []
    answer = lists.carry_out(asked)
    for _ in range(3):
        lists.answer(answer)
        assert lists.plan() == []
    assert lists.links() == {"client c1": "customer 900"}


def test_our_own_customer_read_back_changes_nothing(lists: ListsBench) -> None:
    both = {"rules": [{**CLIENTS_OUT, "direction": "both"}]}
    lists.apply(both)
    lists.learn(SERVICE, client("c1", "Acme"))
    [asked] = lists.plan()
    answer = lists.carry_out(asked)
    lists.learn(lists.held["customer", "900"])
    assert lists.plan() == []
    lists.answer(answer)
    assert lists.plan() == []
    assert lists.links() == {"client c1": "customer 900"}


def test_a_rename_goes_on_and_back_again(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(client("c1", "Acme"), customer("17", "Acme", edit_token="3"))
    lists.sync()
    for name in ("Acme Corp", "Acme", "Acme Corp"):
        lists.learn(client("c1", name))
        lists.sync()
        assert lists.held["customer", "17"].name == name
    assert [r.wanted.name for r in lists.requests] == ["Acme Corp", "Acme", "Acme Corp"]
    assert len({r.change_id for r in lists.requests}) == 3


def test_a_reading_from_before_our_write_does_not_undo_it(lists: ListsBench) -> None:
    both = {"rules": [{**CLIENTS_OUT, "direction": "both"}]}
    lists.apply(both)
    old = customer("17", "Acme", edit_token="3")
    lists.learn(client("c1", "Acme"), old)
    lists.sync()
    lists.learn(client("c1", "Acme Corp"))
    lists.sync()
    lists.learn(old.model_copy(update={"email": "a@b.example"}))
    assert lists.plan() == []


def test_a_stale_version_is_decided_anew_on_what_is_there_now(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(client("c1", "Acme"), customer("17", "Acme", edit_token="3"))
    lists.sync()
    lists.learn(client("c1", "Acme Corp"))
    [asked] = lists.plan()
    reasons = [{"code": "edit_token_stale", "detail": "somebody was faster"}]
    now = customer("17", "Acme", edit_token="4", email="x@y.example")
    lists.answer(done(asked, "refused", now, reasons=reasons))
    [again] = lists.plan()
    assert (again.edit_token, again.wanted.name) == ("4", "Acme Corp")
    assert again.change_id != asked.change_id


def test_a_refusal_waits_for_a_person_who_may_try_again(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE, client("c1", "Acme"))
    [asked] = lists.plan()
    reasons = [{"code": "validation", "detail": "the ledger doesn't like the name"}]
    lists.answer(done(asked, "refused", reasons=reasons))
    lists.actions.sync(BOOK, actor="ann")
    assert lists.plan() == []
    [held] = lists.decisions(state="refused")
    assert held["reasons"][-1]["detail"] == "the ledger doesn't like the name"
    lists.actions.approve(BOOK, held["id"], actor="bob", note=None)
    [again] = requested(lists.bench.bus.take())
    assert again.wanted.name == "Acme"
    assert again.change_id != asked.change_id


def test_proposals_wait_for_approval_and_go_when_they_no_longer_hold(lists: ListsBench) -> None:
    lists.apply({"rules": [{**CLIENTS_OUT, "approval": "required"}]})
    lists.learn(SERVICE, client("c1", "Acme"), client("c2", "Birch"))
    assert lists.plan() == []
    proposed = {each["detail"].split("'")[1]: each for each in lists.decisions(kind="change")}
    assert set(proposed) == {"Acme", "Birch"}
    lists.actions.reject(BOOK, proposed["Acme"]["id"], actor="bob", note="never")
    lists.learn(client("c2", "Birch Ltd"))
    assert lists.plan() == []
    [left] = lists.decisions(kind="change")
    assert "'Birch Ltd'" in left["detail"]
    lists.actions.approve(BOOK, left["id"], actor="bob", note=None)
    [asked] = requested(lists.bench.bus.take())
    assert (asked.wanted.name, asked.decided_by) == ("Birch Ltd", "bob")


def test_history_from_the_ledger_is_never_billed(lists: ListsBench) -> None:
    lists.apply()
    entry = hour(derivation=("imported from the ledger",))
    [change] = lists.bench.feed(lists.bench.accept(entry, source="firm"))
    assert change.outcome is MappingOutcome.SKIPPED
    assert change.reasons[0].code == "from_ledger"
    assert change.charges == ()


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


@pytest.mark.parametrize("point", ["mapper.lists_in_plan", "mapper.lists_after_plan"])
def test_a_plan_that_fails_is_made_again_and_asks_once(lists: ListsBench, point: str) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE, client("c1", "Acme"))
    faults.arm(f"{point}=raise@1")
    with pytest.raises(TransientFailure):
        lists.plan()
    faults.arm("")
    asked = lists.plan() + lists.plan()
    lists.bench.outbox.flush()
    asked += requested(lists.bench.bus.take())
    assert [each.wanted.name for each in asked] == ["Acme"]
