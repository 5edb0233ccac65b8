"""What people decide: links by hand, links that end, blocks, suggestions; and what follows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.common.messages.events import ChargeSetChanged, MappingOutcome
from hourbridge.common.messages.records import Deletion, Expense
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.mapper.explaining import Explainer
from services.mapper.tests.lists.lists_bench import (
    CLIENTS_OUT,
    OUT,
    ListsBench,
    client,
    customer,
    hour,
    labor_code,
    ledger_entry,
    link_to,
    project,
    staff,
)
from tests.support.mapping import BOOK, DAY

pytestmark = pytest.mark.database

SERVICE = ledger_entry("item", "5", "Design", type="Service", attributes={"UnitPrice": "90.00"})
CLIENT: Any = ("firm", "client", "c1", "customer")


def fill(lists: ListsBench, **changes: Any) -> None:
    """Let both sides have Acme's website and the design of it."""
    lists.learn(client("c1", "Acme"), project("p1", "Website", "c1"), labor_code("l1", "Design"))
    lists.learn(customer("17", "Acme"), customer("18", "Website", parent_id="17"), SERVICE)
    lists.plan()


def mapped(lists: ListsBench, record: Any) -> ChargeSetChanged:
    [change] = lists.bench.feed(lists.bench.accept(record, source="firm"))
    return change


def now_stored(lists: ListsBench, record_type: str = "time_entry") -> ChargeSetChanged:
    with lists.store.transaction() as connection:
        found = connection.execute(
            text("SELECT charge_set FROM mapped_record WHERE record_type = :type"),
            {"type": record_type},
        ).scalar_one()
    return ChargeSetChanged.model_validate_json(found)


def test_a_link_by_hand_lets_waiting_hours_go_on_and_its_end_stops_them(lists: ListsBench) -> None:
    lists.apply()
    lists.learn(client("c1", "Acme"), labor_code("l1", "Design"))
    lists.learn(customer("20", "Another name"), SERVICE)
    lists.plan()
    assert mapped(lists, hour()).outcome is MappingOutcome.PARKED
    lists.actions.link(BOOK, CLIENT, "20", actor="bob", note="the same")
    lists.plan()
    assert now_stored(lists).outcome is MappingOutcome.CHARGED
    lists.actions.unlink(BOOK, CLIENT, actor="bob", note=None)
    lists.plan()
    assert now_stored(lists).outcome is MappingOutcome.PARKED
    assert "client c1" not in lists.links()


def test_an_ended_link_is_not_made_again_by_name(lists: ListsBench) -> None:
    lists.apply()
    fill(lists)
    lists.actions.unlink(BOOK, CLIENT, actor="bob", note=None)
    lists.actions.sync(BOOK, actor="bob")
    lists.plan()
    assert "client c1" not in lists.links()
    with pytest.raises(NotFound):
        lists.actions.unlink(BOOK, CLIENT, actor="bob", note=None)


def test_explicit_rules_win_over_links(lists: ListsBench) -> None:
    lists.apply(clients=[{"client": "c1", "customer": {"id": "99"}}])
    fill(lists)
    [charge] = mapped(lists, hour()).charges
    assert charge.customer.id == "99"


def test_links_can_be_left_out_of_mapping(lists: ListsBench) -> None:
    lists.apply({"resolve_by_links": False})
    fill(lists)
    assert mapped(lists, hour()).outcome is MappingOutcome.PARKED


def test_renamings_on_either_side_keep_the_engagement(lists: ListsBench) -> None:
    lists.apply()
    fill(lists)
    [before] = mapped(lists, hour()).charges
    lists.learn(client("c1", "Acme Corp"), customer("17", "ACME International"))
    lists.learn(project("p1", "New site", "c1"))
    lists.plan()
    [after] = mapped(lists, hour("t2")).charges
    assert (after.client, after.project) == (before.client, before.project) == ("Acme", "Website")


def test_a_merge_in_the_ledger_moves_the_work(lists: ListsBench) -> None:
    lists.apply()
    fill(lists)
    mapped(lists, hour())
    gone = Deletion(how="webhook")
    lists.learn(customer("40", "Acme West"))
    lists.learn(customer("17", "customer 17", merged_into="40", deleted=gone, is_active=False))
    lists.plan()
    [charge] = now_stored(lists).charges
    assert charge.customer.id == "40"


def test_an_inactive_customer_is_billed_no_more(lists: ListsBench) -> None:
    lists.apply()
    fill(lists)
    mapped(lists, hour())
    lists.learn(customer("17", "Acme (deleted)", is_active=False))
    lists.plan()
    assert now_stored(lists).outcome is MappingOutcome.PARKED


def test_the_linked_item_gives_the_rate_if_the_book_says_so(lists: ListsBench) -> None:
    lists.apply({"rates_from_items": True}, rates={"rules": []})
    fill(lists)
    [charge] = mapped(lists, hour()).charges
    assert charge.rate is not None
    assert (charge.rate.amount, charge.rate.origin) == (Decimal(90), "item 'Design' of the ledger")
    dearer = SERVICE.model_copy(update={"attributes": {"UnitPrice": "95"}})
    lists.learn(dearer)
    lists.plan()
    [charge] = now_stored(lists).charges
    assert charge.rate is not None and charge.rate.amount == Decimal(95)


def test_without_that_policy_work_waits_for_a_rate(lists: ListsBench) -> None:
    lists.apply(rates={"rules": []})
    fill(lists)
    assert [reason.code for reason in mapped(lists, hour()).reasons] == ["no_rate"]


def test_a_linked_vendor_is_owed_what_the_contractor_paid(lists: ListsBench) -> None:
    lists.apply(expense_policy={"bill_costs": True})
    fill(lists)
    lists.learn(
        staff("s1", "Ann Doe", vendor_link="31"),
        ledger_entry("vendor", "31", "Ann Doe Consulting"),
        ledger_entry("account", "60", "Travel", type="Expense"),
    )
    lists.plan()
    lists.actions.link(BOOK, ("firm", "staff", "s1", "vendor"), "31", actor="bob", note=None)
    spent = Expense.model_validate(
        {
            "external_id": "e1",
            "staff_id": "s1",
            "client_id": "c1",
            "category_id": "x9",
            "expense_date": DAY,
            "amount_in": "50.00",
            "currency": "USD",
            "reimbursable": True,
            "billable_state": "billable",
            "approval": {"state": "approved"},
        }
    )
    assert mapped(lists, spent).outcome is MappingOutcome.PARKED
    code = ledger_entry("expense_code", "x9", "Travel", links=(link_to("account", "60"),))
    lists.bench.feed(lists.bench.accept(code, 50, source="firm"))
    lists.plan()
    charges = now_stored(lists, "expense").charges
    assert {charge.account.id for charge in charges if charge.account} == {"60"}
    owed = [charge.payable for charge in charges if charge.payable is not None]
    assert [payable.vendor.id for payable in owed] == ["31"]


def test_a_suggestion_is_linked_or_kept_apart(lists: ListsBench) -> None:
    lists.apply()
    lists.learn(client("c1", "The Acme Co."), client("c2", "Birch LLC"))
    lists.learn(customer("17", "Acme, Inc."), customer("18", "Birch Inc"))
    lists.plan()
    found = {row["entries"][0][2]: row["id"] for row in lists.decisions(kind="suggestion")}
    lists.actions.approve(BOOK, found["c1"], actor="bob", note=None)
    lists.actions.reject(BOOK, found["c2"], actor="bob", note=None)
    lists.plan()
    assert lists.links() == {"client c1": "customer 17"}
    assert lists.decisions(kind="suggestion") == []


def test_doubts_can_not_be_waved_through(lists: ListsBench) -> None:
    lists.apply()
    lists.learn(client("c1", "Acme"), client("c2", "ACME"), customer("17", "Acme"))
    lists.plan()
    [doubt] = lists.decisions(kind="hold")
    with pytest.raises(RequestInvalid):
        lists.actions.approve(BOOK, doubt["id"], actor="bob", note=None)
    lists.actions.link(BOOK, CLIENT, "17", actor="bob", note=None)
    lists.plan()
    assert lists.decisions(kind="hold") == []


def test_blocked_clients_stay_out_until_they_are_allowed(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE, client("c1", "Acme"))
    key = ("firm", "client", "c1")
    lists.actions.mark(BOOK, key, "blocked", actor="bob", note="house account")
    assert lists.plan() == []
    lists.learn(client("c1", "Acme renamed"))
    assert lists.plan() == []
    lists.actions.mark(BOOK, key, None, actor="bob", note=None)
    assert [asked.wanted.name for asked in lists.plan()] == ["Acme renamed"]


def test_lists_that_were_known_before_are_learned_from_what_is_stored(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE, client("c1", "Acme"))
    with lists.store.transaction() as connection:
        connection.execute(text("DELETE FROM list_entry"))
        connection.execute(text("DELETE FROM list_book"))
    assert [asked.wanted.name for asked in lists.plan()] == ["Acme"]


def test_two_books_share_nothing(lists: ListsBench) -> None:
    lists.apply(OUT)
    lists.learn(SERVICE, client("c1", "Acme"))
    other = lists.bench.accept(client("c1", "Acme"), 1, source="firm", book="other")
    lists.bench.feed(other)
    assert len(lists.plan()) == 1
    with pytest.raises(NotFound):
        lists.shown.status("other")


def test_an_explanation_names_the_link(lists: ListsBench) -> None:
    lists.apply()
    fill(lists)
    record_id = mapped(lists, hour()).record_id
    told = Explainer(lists.store, lists.bench.configurations).explain(BOOK, record_id)
    assert told["is_reproduced"] is True
    rules = {rule["what"]: rule["rule"] for rule in told["rules"]}
    assert rules["client"] == "link of the lists, 'Acme'"


def test_every_decision_is_audited(lists: ListsBench) -> None:
    lists.apply({"rules": [{**CLIENTS_OUT, "approval": "required"}]})
    lists.learn(SERVICE, client("c1", "Acme"))
    lists.plan()
    [proposed] = lists.decisions(kind="change")
    lists.actions.approve(BOOK, proposed["id"], actor="bob", note="yes")
    with lists.store.transaction() as connection:
        rows = connection.execute(
            text("SELECT actor, action FROM audit WHERE action LIKE 'list%' ORDER BY id")
        ).all()
    assert [tuple(row) for row in rows] == [("bob", "list_requested")]


def test_a_book_that_moves_to_another_company_links_anew(lists: ListsBench) -> None:
    lists.apply()
    fill(lists)
    [before] = mapped(lists, hour()).charges
    assert before.customer.id == "17"
    elsewhere = {"connection": "other", "company_id": "777"}
    lists.apply(
        ledger=elsewhere,
        sources=[
            {"name": "firm", "system": "bigtime"},
            {"name": "other", "system": "quickbooks_online"},
            {"name": "quickbooks_online", "system": "quickbooks_online"},
        ],
    )
    lists.plan()
    assert now_stored(lists).outcome is MappingOutcome.PARKED
    for number, entry in enumerate((customer("3", "Acme"), SERVICE), start=70):
        lists.bench.feed(lists.bench.accept(entry, number, source="other"))
    lists.plan()
    [after] = now_stored(lists).charges
    assert (after.customer.id, after.client) == ("3", "Acme")
