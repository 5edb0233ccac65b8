"""Not to exceed: what fits, what is cut, what waits, and whose cap it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import Assembly, assemble
from hourbridge.billing.caps import CapRules, Limits, RoomKey, Rooms
from hourbridge.billing.ownership import client_rule, project_rule
from hourbridge.common.book import BookConfiguration, LedgerReference, SourceBinding
from hourbridge.common.calendar import Period
from hourbridge.common.messages.events import Charge
from tests.support.charges import LEDGER, exact_time, hours, make_charge, make_expense, rounding


def book(**changes: Any) -> BookConfiguration:
    clients = changes.pop("clients", None)
    if clients is None:
        clients = [
            {"client": "Acme", "customer": {"name": "Acme"}, "cap": changes.pop("cap", None)}
        ]
    return BookConfiguration.model_validate(
        {
            "book": "caps",
            "currency": "USD",
            "zone": "UTC",
            "ledger": LEDGER,
            "sources": (SourceBinding(name="toggl"),),
            "clients": clients,
            **changes,
        }
    )


def limits(
    configuration: BookConfiguration, billed: dict[RoomKey, Decimal] | None = None
) -> Limits:
    return Limits(CapRules(configuration, 5), Rooms(billed or {}))


def capped(charges: list[Charge], amount: str, **policy: Any) -> Assembly:
    return assemble(charges, limits=limits(book(cap={"amount": amount, **policy})))


def entries(*lengths: str, **changes: Any) -> list[Charge]:
    changes = {"rate": "100.00", "invoicing": {"lines": "entry"}, **changes}
    return [make_charge(f"c{n}", hours(length), **changes) for n, length in enumerate(lengths)]


def found(assembly: Assembly) -> list[tuple[str, str]]:
    return [(line.charges[0].charge_id, str(line.amount)) for line in assembly.lines]


def left(assembly: Assembly) -> list[tuple[tuple[str, ...], int, str]]:
    return [
        (leak.charge_ids, leak.seconds, str(leak.amount))
        for leak in assembly.leakage
        if leak.cause == "capped"
    ]


def test_the_entry_in_which_the_room_ends_is_cut() -> None:
    assembly = capped(entries("2", "3", "1"), "350.00")
    assert found(assembly) == [("c0", "200.00"), ("c1", "150.00")]
    assert left(assembly) == [((), hours("1.5"), "150.00"), (("c2",), hours("1"), "100.00")]
    cut = assembly.lines[1]
    assert (cut.price.quantity, cut.price.unit_price) == (Decimal("1.50"), Decimal("100.00"))
    assert cut.description.endswith("(1:30 h of 3:00 h, limit reached)")
    (step,) = cut.price.roundings
    assert (step.step, step.before, step.after) == ("cap", Decimal("300.00"), Decimal("150.00"))
    assert (step.policy, step.unit) == ("client:Acme v5", "350 USD")
    shown = cut.to_document_line("d", 2)
    assert (shown.capped_seconds, shown.capped_amount) == (hours("1.5"), Decimal("150.00"))


def test_what_fits_to_the_cent_is_not_cut() -> None:
    assembly = capped(entries("2", "3"), "200.00")
    assert found(assembly) == [("c0", "200.00")]
    assert left(assembly) == [(("c1",), hours("3"), "300.00")]
    assert capped(entries("2", "3"), "500.00").leakage == ()


def test_no_room_at_all() -> None:
    configuration = book(cap={"amount": "500.00", "already_billed": "500.00"})
    assembly = assemble(entries("2"), limits=limits(configuration))
    assert (found(assembly), left(assembly)) == ([], [(("c0",), hours("2"), "200.00")])
    over = limits(configuration, {RoomKey(): Decimal("20.00")})
    assert assemble(entries("2"), limits=over).lines == ()


def test_a_merged_line_takes_the_first_work_first() -> None:
    assembly = capped(entries("2", "3", "1", invoicing={"lines": "task"}), "250.00")
    (line,) = assembly.lines
    assert [charge.charge_id for charge in line.charges] == ["c0", "c1"]
    assert (line.amount, line.price.worked_seconds) == (Decimal("250.00"), hours("5"))
    assert left(assembly) == [((), hours("2.5"), "250.00"), (("c2",), hours("1"), "100.00")]


def test_a_day_that_is_rounded_as_one_is_cut_as_one() -> None:
    day = [
        make_charge(f"c{n}", 7 * 60, rate="100.00", rounding=rounding(6, scope="day"))
        for n in range(5)
    ]
    assembly = capped(day, "50.00")
    (line,) = assembly.lines
    assert (len(line.charges), line.amount) == (5, Decimal("50.00"))
    assert left(assembly) == [((), 6 * 60, "10.00")]


def test_money_that_no_time_gives_is_one_amount() -> None:
    (line,) = capped(entries("2", rounding=exact_time(), rate="133.3333"), "100.01").lines
    assert (line.price.quantity, line.price.unit_price) == (1, Decimal("100.01"))
    assert line.price.billed_seconds == 2700


def test_expenses_count_only_if_the_cap_says_so() -> None:
    charges = [*entries("1"), make_expense("e", "80.00", invoicing={"lines": "entry"})]
    assert found(capped(charges, "120.00")) == [("c0", "100.00"), ("e", "80.00")]
    assembly = capped(charges, "120.00", expenses=True)
    assert found(assembly) == [("c0", "100.00"), ("e", "20.00")]
    assert left(assembly) == [((), 0, "60.00")]


def test_a_fee_counts_but_is_never_cut() -> None:
    fee = {"amount": "420", "term": "month"}
    charges = [
        make_charge("a", rate=None, flat_fee=fee, invoicing={"lines": "entry"}),
        *entries("1", project="P9"),
    ]
    assembly = capped(charges, "400.00")
    assert found(assembly) == [("a", "420.00")]
    assert left(assembly) == [(("c0",), hours("1"), "100.00")]


def test_free_work_is_not_stopped_by_a_full_cap() -> None:
    configuration = book(cap={"amount": "500.00", "already_billed": "500.00"})
    assembly = assemble(entries("2", rate="0.00"), limits=limits(configuration))
    assert found(assembly) == [("c0", "0.00")]


def test_a_percentage_makes_room_an_amount_does_not() -> None:
    percent = {"lines": "entry", "discount": {"kind": "percent", "value": "20"}}
    assembly = capped(entries("5", invoicing=percent), "200.00")
    (line,) = assembly.lines
    assert (line.price.amount, line.amount) == (Decimal("250.00"), Decimal("200.00"))
    assert line.held_back is not None
    assert (line.held_back.amount, line.held_back.seconds) == (Decimal("200.00"), hours("2.5"))
    amount = {"lines": "entry", "discount": {"kind": "amount", "value": "30.00"}}
    (line,) = capped(entries("5", invoicing=amount), "200.00").lines
    assert (line.price.amount, line.amount) == (Decimal("200.00"), Decimal("170.00"))
    nothing = {"lines": "entry", "discount": {"kind": "percent", "value": "100"}}
    assert found(capped(entries("5", invoicing=nothing), "200.00")) == [("c0", "0.00")]
    services = {"lines": "entry", "discount": {"kind": "percent", "value": "20", "of": "services"}}
    costs = [make_expense("e", "80.00", invoicing=services)]
    assert found(capped(costs, "50.00", expenses=True)) == [("e", "50.00")]


def test_terms_fill_up_each_by_itself() -> None:
    days = (date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 1))
    charges = [
        make_charge(f"c{n}", hours("2"), rate="100.00", work_date=day, invoicing={"lines": "task"})
        for n, day in enumerate(days)
    ]
    assembly = capped(charges, "250.00", term="month")
    assert found(assembly) == [("c0", "250.00"), ("c2", "200.00")]
    march = RoomKey(period=Period(date(2026, 3, 1), date(2026, 3, 31)))
    configuration = book(cap={"amount": "250.00", "term": "month"})
    full = limits(configuration, {march: Decimal("250.00")})
    assert found(assemble(charges, limits=full)) == [("c2", "200.00")]


def test_a_client_and_a_project_each_have_theirs() -> None:
    projects = [
        {"project": "P1", "client": "Acme", "cap": {"amount": "150.00"}},
        {"project": "P2", "cap": {"amount": "1000.00"}},
    ]
    configuration = book(cap={"amount": "300.00"}, projects=projects)
    charges = [*entries("2", project="P1"), *entries("2", project="P2")]
    charges[1] = charges[1].model_copy(update={"charge_id": "d0"})
    assembly = assemble(charges, limits=limits(configuration))
    assert found(assembly) == [("c0", "150.00"), ("d0", "150.00")]
    policies = [line.price.roundings[-1].policy for line in assembly.lines]
    assert policies == ["project:P1 v5", "client:Acme v5"]
    assert assembly.rooms is not None
    after = assembly.rooms.tightest(limits(configuration).rules.caps_of(charges[0]), "time")
    assert after is not None
    assert after[1] == 0


def test_without_caps_nothing_is_asked() -> None:
    plain = assemble(entries("2"), limits=limits(book()))
    assert plain.lines == assemble(entries("2")).lines
    assert plain.leakage == ()


@given(
    lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=8),
    cents=st.integers(1, 200_000),
    detail=st.sampled_from(["entry", "task"]),
    percent=st.sampled_from([None, "12.5"]),
)
def test_nothing_is_billed_beyond_a_cap_and_nothing_is_lost(
    lengths: list[int], cents: int, detail: str, percent: str | None
) -> None:
    discount = {"kind": "percent", "value": percent} if percent else None
    invoicing = {"lines": detail, "discount": discount}
    charges = [
        make_charge(f"c{n}", length, rate="99.99", rounding=exact_time(), invoicing=invoicing)
        for n, length in enumerate(lengths)
    ]
    room = Decimal(cents) / 100
    assembly = capped(charges, str(room))
    assert assembly.total <= room
    on_lines = {charge.charge_id for line in assembly.lines for charge in line.charges}
    waiting = {charge_id for leak in assembly.leakage for charge_id in leak.charge_ids}
    assert on_lines | waiting == {charge.charge_id for charge in charges}
    assert not on_lines & waiting
    if waiting and discount is None:
        assert assembly.total == room
    for line in assembly.lines:
        if line.held_back is not None:
            whole = line.price.amount + (line.rest.amount if line.rest else 0)
            assert line.amount + line.held_back.amount == line.basis.billed_of(whole)


# --- whose rule it is -----------------------------------------------------------------------


def test_rules_are_found_by_customer_and_name_on_the_day() -> None:
    configuration = book(
        clients=[
            {"client": "17", "customer": {"name": "Acme"}, "effective_to": "2026-03-01"},
            {"client": "17", "customer": {"name": "Acme"}, "effective_from": "2026-03-02"},
            {"client": "Acme", "customer": {"name": "Other"}},
        ],
    )
    assert client_rule(configuration, make_charge()) is configuration.clients[1]
    earlier = make_charge(work_date=date(2026, 3, 1))
    assert client_rule(configuration, earlier) is configuration.clients[0]
    other = make_charge(customer=LedgerReference(name="Other"))
    assert client_rule(configuration, other) is configuration.clients[2]
    assert client_rule(configuration, make_charge(client="Bolt")) is None


def test_projects_are_found_by_name_or_by_what_the_mapping_calls_them() -> None:
    configuration = book(
        projects=[
            {"project": "P1"},
            {"project": " P1 ", "client": "Acme"},
            {"project": "P1", "client": "Bolt"},
            {"project": "30", "client": "Acme"},
        ]
    )
    assert project_rule(configuration, make_charge()) is configuration.projects[1]
    by_id = make_charge(project="Relaunch", project_rule="30")
    assert project_rule(configuration, by_id) is configuration.projects[3]
    assert project_rule(configuration, make_charge(project=None)) is None
    assert project_rule(configuration, make_charge(project="P9")) is None
    assert project_rule(configuration, make_charge(client="Nova")) is configuration.projects[0]


@pytest.mark.parametrize("project", ["P1", None])
def test_caps_of_a_charge(project: str | None) -> None:
    configuration = book(projects=[{"project": "P1", "cap": {"amount": "1.00"}}])
    caps = CapRules(configuration, 3).caps_of(make_charge(project=project))
    assert [cap.named for cap in caps] == (["project:P1 v3"] if project else [])
