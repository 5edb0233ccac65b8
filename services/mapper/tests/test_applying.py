"""Check, plan and apply on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hourbridge.common import faults
from hourbridge.common.errors import ConfigurationInvalid, TransientFailure
from hourbridge.mapper import applying
from hourbridge.mapper.applying import VersionConflict
from tests.support.mapping import (
    BOOK,
    MapperBench,
    configuration,
    configured,
    time_entry,
)

pytestmark = pytest.mark.database

RAISED = {"rates": {"rules": [{"client": "Acme", "amount": "160.00"}]}}
NEW_CLIENT: dict[str, Any] = {
    "clients": [
        {"client": "Acme", "customer": {"id": "17"}},
        {"client": "Beta", "customer": {"id": "18"}},
    ],
    "rates": {"rules": [{"amount": "100"}]},
}


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    faults.arm("")


def apply(bench: MapperBench, **changes: Any) -> dict[str, Any]:
    return bench.applier.apply(configuration(**changes), actor="ann", note="why")


def versions(bench: MapperBench) -> list[int]:
    with bench.store.transaction() as connection:
        history = bench.configurations.history(connection, BOOK, 10)
    return [version["version"] for version in history]


def snapshot(bench: MapperBench) -> list[Any]:
    tables = ("book_configuration", "mapped_record", "remap_task", "outbox", "audit")
    with bench.store.transaction() as connection:
        return [
            [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1"))]
            for table in tables
        ]


def test_apply_makes_a_version_and_announces_it_in_full(bench: MapperBench) -> None:
    answer = apply(bench)
    assert (answer["version"], answer["changed"]) == (1, True)
    [announced] = configured(bench.bus.take())
    assert announced.version == 1
    assert announced.configuration == configuration()
    assert (announced.applied_by, announced.note) == ("ann", "why")


def test_an_identical_document_makes_no_version(bench: MapperBench) -> None:
    apply(bench)
    before = snapshot(bench)
    answer = apply(bench)
    assert (answer["version"], answer["changed"]) == (1, False)
    assert snapshot(bench) == before


def test_a_problem_refuses_the_document(bench: MapperBench) -> None:
    with pytest.raises(ConfigurationInvalid) as raised:
        apply(bench, projects=[{"project": "P", "client": "Nobody"}])
    assert "projects[0].client" in str(raised.value)
    assert versions(bench) == []


def test_an_expected_version_guards_against_others(bench: MapperBench) -> None:
    apply(bench)
    with pytest.raises(VersionConflict):
        bench.applier.apply(configuration(**RAISED), actor="ben", expected_version=0)
    answer = bench.applier.apply(configuration(**RAISED), actor="ben", expected_version=1)
    assert answer["version"] == 2


def test_concurrent_applies_make_one_version_each(bench: MapperBench) -> None:
    amounts = [str(number) for number in range(1, 7)]

    def work(amount: str) -> int:
        rates = {"rules": [{"client": "Acme", "amount": amount}]}
        return int(apply(bench, rates=rates)["version"])

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(work, amounts))
    assert sorted(made) == [1, 2, 3, 4, 5, 6]


def test_versions_are_immutable(bench: MapperBench) -> None:
    apply(bench)
    with pytest.raises(DBAPIError, match="immutable"), bench.store.transaction() as connection:
        connection.execute(text("UPDATE book_configuration SET note = 'other'"))


def test_apply_is_audited_rule_by_rule(bench: MapperBench) -> None:
    apply(bench)
    apply(bench, **RAISED)
    with bench.store.transaction() as connection:
        rows = connection.execute(text("SELECT actor, detail FROM audit ORDER BY id")).all()
    assert [row.actor for row in rows] == ["ann", "ann"]
    [change] = rows[1].detail["changes"]
    assert change == "changed rates.rules(client=Acme)"


@pytest.mark.parametrize(("point", "made"), [(applying.IN_APPLY, []), (applying.AFTER_APPLY, [1])])
def test_a_kill_leaves_all_or_nothing(bench: MapperBench, point: str, made: list[int]) -> None:
    faults.arm(f"{point}=raise")
    with pytest.raises(TransientFailure):
        apply(bench)
    assert versions(bench) == made
    bench.outbox.flush()
    assert [announced.version for announced in configured(bench.bus.take())] == made


def test_a_plan_changes_nothing(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(time_entry()), bench.accept(time_entry("2", client_name="Beta")))
    before = snapshot(bench)
    bench.planner.plan(configuration(**NEW_CLIENT))
    assert snapshot(bench) == before


def test_a_plan_shows_difference_and_effect(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(
        bench.accept(time_entry("1", input={"seconds": 5400})),
        bench.accept(time_entry("2", client_name="Beta")),
        bench.accept(time_entry("3", client_name="Beta", input={"seconds": 1800})),
        bench.accept(time_entry("4", billable_state="non_billable")),
    )
    plan = bench.planner.plan(configuration(**NEW_CLIENT))
    assert plan["ok"]
    assert plan["active_version"] == 1
    changes = {(change["what"], change["where"]) for change in plan["difference"]}
    assert changes == {
        ("changed", "clients(client=Acme)"),
        ("added", "clients(client=Beta)"),
        ("removed", "rates.rules(client=Acme)"),
        ("added", "rates.rules()"),
    }
    effect = plan["effect"]
    assert effect["complete"]
    assert effect["records_examined"] == 4
    assert effect["outcomes"] == {"charged -> charged": 1, "parked -> charged": 2}
    assert effect["released"] == {"client:Beta": 2}
    acme, beta = effect["clients"]
    assert (acme["before"]["money"], acme["after"]["money"]) == ("225.00", "150.00")
    assert (beta["before"]["hours"], beta["after"]["hours"]) == ("0.00", "1.50")
    assert beta["after"]["money"] == "150.00"
    assert len(effect["samples"]) == 3


def test_a_plan_counts_each_flat_fee_once_per_term(bench: MapperBench) -> None:
    bench.apply()
    days = ["2026-03-02", "2026-03-30", "2026-04-01"]
    bench.feed(*(bench.accept(time_entry(day, work_date=day)) for day in days))
    fee = {"amount": "420.00", "term": "month"}
    plan = bench.planner.plan(
        configuration(clients=[{"client": "Acme", "customer": {"id": "17"}, "flat_fee": fee}])
    )
    totals = {client["client"]: client["after"]["money"] for client in plan["effect"]["clients"]}
    assert totals["Acme"] == "840.00"


def test_a_first_plan_is_all_additions(bench: MapperBench) -> None:
    bench.feed(bench.accept(time_entry()))
    plan = bench.planner.plan(configuration())
    assert plan["active_version"] == 0
    assert {change["what"] for change in plan["difference"]} == {"added"}
    assert plan["effect"]["released"] == {f"configuration:{BOOK}": 1}


def test_a_plan_and_the_apply_agree(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(*(bench.accept(time_entry(str(n), client_name="Beta")) for n in range(5)))
    plan = bench.planner.plan(configuration(**NEW_CLIENT))
    bench.apply(**NEW_CLIENT)
    charged = [row for row in bench.rows("outcome") if row == ("charged",)]
    assert len(charged) == plan["effect"]["outcomes"]["parked -> charged"] == 5
