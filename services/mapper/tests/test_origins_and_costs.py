"""What a charge remembers: whose policies it follows, what the work costs, what nobody pays."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.messages.events import Charge
from tests.support.mapping import charge_of, expense, time_entry

ROUNDING = {"increment_seconds": 900}
INVOICING = {"grouping": "client_quarter"}


def origins(charge: Charge) -> tuple[str | None, str | None]:
    return charge.rounding_origin, charge.invoicing_origin


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (None, None)),
        ({"rounding": ROUNDING}, (None, None)),
        (
            {"projects": [{"project": "Website", "rounding": ROUNDING, "invoicing": INVOICING}]},
            ("project:Website", "project:Website"),
        ),
        (
            {
                "clients": [{"client": "Acme", "customer": {"id": "1"}, "invoicing": INVOICING}],
                "projects": [{"project": "Website", "rounding": ROUNDING}],
            },
            ("project:Website", "client:Acme"),
        ),
        (
            {"clients": [{"client": "Acme", "customer": {"id": "1"}, "rounding": ROUNDING}]},
            ("client:Acme", None),
        ),
    ],
)
def test_whose_policies_they_are(
    changes: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    assert origins(charge_of(time_entry(), **changes)) == expected


def test_dated_policies_hold_for_the_days_work() -> None:
    policies = [
        {"effective_from": "2026-04-01", "rounding": ROUNDING},
        {"effective_from": "2026-05-01", "rounding": {"increment_seconds": 60}},
        {"effective_from": "2026-04-15", "effective_to": "2026-04-30", "invoicing": INVOICING},
        {"effective_to": "2026-01-31", "rounding": {"increment_seconds": 1}},
    ]
    found = {}
    for day in ("2026-01-15", "2026-03-31", "2026-04-01", "2026-04-20", "2026-05-02"):
        charge = charge_of(time_entry(work_date=day), policies=policies)
        found[day] = (charge.rounding.increment_seconds, *origins(charge))
    assert found == {
        "2026-01-15": (1, "book", None),
        "2026-03-31": (360, None, None),
        "2026-04-01": (900, "book from 2026-04-01", None),
        "2026-04-20": (900, "book from 2026-04-01", "book from 2026-04-15"),
        "2026-05-02": (60, "book from 2026-05-01", None),
    }


def test_a_clients_own_policy_goes_before_a_dated_one() -> None:
    charge = charge_of(
        time_entry(),
        policies=[{"rounding": {"increment_seconds": 60}}],
        clients=[{"client": "Acme", "customer": {"id": "1"}, "rounding": ROUNDING}],
    )
    assert (charge.rounding.increment_seconds, charge.rounding_origin) == (900, "client:Acme")


def test_a_project_that_was_matched_by_id_is_remembered_as_the_mapping_calls_it() -> None:
    projects = [{"project": "30", "job": {"name": "Acme:Relaunch"}}]
    by_id = charge_of(time_entry(project_id="30", project_name="Website"), projects=projects)
    assert (by_id.project, by_id.project_rule) == ("Acme:Relaunch", "30")
    by_name = charge_of(time_entry(), projects=[{"project": "Website"}])
    assert (by_name.project, by_name.project_rule) == ("Website", None)


@pytest.mark.parametrize(
    ("fields", "staff", "expected"),
    [
        ({}, [], None),
        ({"cost_rate": {"amount": "61.50"}}, [], ("61.50", "USD", "source: cost_rate")),
        (
            {"cost_rate": {"amount": "50", "currency": "EUR", "origin": "grade B"}},
            [],
            ("50", "EUR", "source: grade B"),
        ),
        ({"cost_rate": {"amount": "400", "unit": "fixed"}}, [], None),
        ({"cost_rate": {"amount": "-1"}}, [], None),
        ({}, [{"staff": "Ann", "cost_rate": "44.00"}], ("44.00", "USD", "staff:Ann")),
        (
            {},
            [{"staff": "Ann", "cost_rate": "39.00", "currency": "EUR"}],
            ("39.00", "EUR", "staff:Ann"),
        ),
        ({}, [{"staff": "Ann"}], None),
        ({}, [{"staff": "Ben", "cost_rate": "44.00"}], None),
    ],
)
def test_what_an_hour_costs(
    fields: dict[str, Any], staff: list[dict[str, Any]], expected: tuple[str, str, str] | None
) -> None:
    rate = charge_of(time_entry(**fields), staff=staff).cost_rate
    found = None if rate is None else (str(rate.amount), rate.currency, rate.origin)
    assert found == expected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"revision_note": "training"}, "training"),
        ({}, "the source bills 5400 s of it"),
        ({"billable_reason": "task"}, "the source bills 5400 s of it by its task"),
    ],
)
def test_worked_time_that_nobody_pays_is_written_down(fields: dict[str, Any], reason: str) -> None:
    partly = {"billable_state": "partially_billable", "billable": {"seconds": 5400}}
    charge = charge_of(time_entry(input={"seconds": 7200}, **partly, **fields))
    assert charge.write_down is not None
    assert (charge.write_down.seconds, charge.write_down.reason) == (1800, reason)


def test_work_that_is_paid_in_full_or_written_up_is_not_written_down() -> None:
    assert charge_of(time_entry()).write_down is None
    more = time_entry(input={"seconds": 3600}, billable={"seconds": 5400}, write_up=True)
    assert charge_of(more).write_down is None


def test_the_narrowest_tax_code_counts() -> None:
    client = {"client": "Acme", "customer": {"id": "1"}}
    task = {"task": "Design", "item": {"name": "Design"}}
    project = {"project": "Website", "tax_code": "REDUCED"}
    book: dict[str, Any] = {"tax_code": "STANDARD"}
    assert charge_of(time_entry(), **book).tax_code == "STANDARD"
    assert charge_of(time_entry(), **book, projects=[project]).tax_code == "REDUCED"
    exempt = {**book, "projects": [project], "clients": [{**client, "tax_code": "EXEMPT"}]}
    assert charge_of(time_entry(), **exempt).tax_code == "EXEMPT"
    zero = {**exempt, "tasks": [{**task, "tax_code": "ZERO"}]}
    assert charge_of(time_entry(), **zero).tax_code == "ZERO"


def test_an_expense_categorys_tax_code_counts_first() -> None:
    category = {"category": "Hotel", "item": {"name": "Travel"}, "tax_code": "NONE"}
    charge = charge_of(expense(), expenses=[category], tax_code="STANDARD")
    assert charge.tax_code == "NONE"
