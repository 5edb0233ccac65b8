"""Which kinds of documents worked time and expenses become, by who worked and who paid."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.book import ExpensePosting, StaffMapping
from hourbridge.common.messages.events import Activity, MappingOutcome, PaidAtOnce
from hourbridge.common.messages.records import Expense
from hourbridge.mapper.rules.paying import how_paid
from tests.support.mapping import codes, expense, mapped, time_entry

ADA = {"staff": "ada", "employee": {"name": "Ada"}}
BOTH = {**ADA, "vendor": {"name": "Ada Ltd"}}


def spent(**fields: Any) -> Expense:
    values = {
        "external_id": "x",
        "expense_date": "2026-01-15",
        "amount_in": "10",
        "currency": "USD",
    }
    return Expense.model_validate({**values, **fields})


@pytest.mark.parametrize(
    ("expense", "policy", "person", "how"),
    [
        ({"payment_source": "employee"}, {}, ADA, "check"),
        ({"payment_source": "employee"}, {}, {"staff": "ada", "vendor": {"name": "A"}}, "bill"),
        ({"payment_source": "employee"}, {}, BOTH, "bill"),
        ({"payment_source": "employee"}, {"linked_to_both": "check"}, BOTH, "check"),
        ({"payment_source": "employee"}, {"employees": "bill"}, ADA, "bill"),
        ({"reimbursable": True}, {}, ADA, "check"),
        ({"reimbursable": True}, {}, None, "bill"),
        ({"reimbursable": True, "posting_intent": "bill"}, {}, ADA, "bill"),
        ({"posting_intent": "check"}, {}, None, "check"),
        ({"payment_source": "vendor_bill"}, {}, ADA, "bill"),
        ({"payment_source": "company_card"}, {}, ADA, None),
        ({"payment_source": "company_card"}, {"company_card": "purchase"}, ADA, "card"),
        (
            {"payment_source": "company_card", "posting_intent": "bill"},
            {"company_card": "purchase"},
            None,
            "bill",
        ),
        ({"posting_intent": "credit_card_credit"}, {"company_card": "purchase"}, None, "card"),
        ({"posting_intent": "credit_card_charge"}, {}, None, None),
        ({"payment_source": "company_cash"}, {}, None, None),
        ({"payment_source": "company_cash"}, {"company_cash": "purchase"}, None, "cash"),
        ({"payment_source": "service_fee"}, {"company_card": "purchase"}, ADA, None),
        ({"posting_intent": "none"}, {}, ADA, None),
        ({"posting_intent": "journal"}, {}, ADA, None),
    ],
)
def test_how_a_cost_is_posted(
    expense: dict[str, Any], policy: dict[str, Any], person: dict[str, Any] | None, how: str | None
) -> None:
    linked = StaffMapping.model_validate(person) if person else None
    assert how_paid(spent(**expense), ExpensePosting.model_validate(policy), linked) == how


# --- whom, from what, and with what else ---------------------------------------------------------

HOTEL = {"expenses": [{"category": "Hotel", "account": {"id": "X"}}]}
BOOK: dict[str, Any] = {
    **HOTEL,
    "expense_policy": {"bill_costs": True, "treatment": "principal"},
    "staff": [{"staff": "Ann", "employee": {"name": "Ann"}}],
    "posting": {
        "expenses": {
            "company_card": "purchase",
            "company_cash": "purchase",
            "cards": [{"card": "1234", "account": {"id": "V"}}],
            "card_account": {"id": "C"},
            "bank_account": {"id": "B"},
        }
    },
}


def paid(given: Expense, **changes: Any) -> PaidAtOnce:
    result = mapped(given, **{**BOOK, **changes})
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    (owed,) = [c.payable for c in result.charges if c.payable is not None]
    assert owed.paid is not None
    return owed.paid


@pytest.mark.parametrize(
    ("fields", "account", "payee", "transaction"),
    [
        ({"payment_source": "employee"}, "B", "employee", ""),
        ({"payment_source": "employee", "report": {"id": "R1"}}, "B", "employee", "report:R1"),
        ({"payment_source": "company_card", "card_mask": "1234"}, "V", "nobody", "record:r1"),
        ({"payment_source": "company_card", "vendor_name": "Inn"}, "C", "vendor", "record:r1"),
        ({"payment_source": "company_card", "split_group_id": "S"}, "C", "nobody", "bank:S"),
        ({"payment_source": "company_card", "bank_transaction_id": "T"}, "C", "nobody", "bank:T"),
        ({"payment_source": "company_cash", "report": {"id": "R1"}}, "B", "nobody", "report:R1"),
    ],
)
def test_who_is_paid_from_which_account(
    fields: dict[str, Any], account: str, payee: str, transaction: str
) -> None:
    found = paid(expense(**fields))
    assert found.account is not None
    assert (found.account.id, found.payee, found.transaction) == (account, payee, transaction)


def test_a_card_that_nobody_knows_waits() -> None:
    posting = {"expenses": {"company_card": "purchase"}}
    given = expense(payment_source="company_card", card_mask="77")
    result = mapped(given, **{**BOOK, "posting": posting})
    assert result.outcome is MappingOutcome.PARKED
    assert result.waits_for == ("card:77",)


# --- worked time ----------------------------------------------------------------------------------

ANN = {"staff": "Ann", "employee": {"name": "Ann"}, "cost_rate": "40"}
WORKED: dict[str, Any] = {"staff": [ANN], "posting": {"time": {"time_activities": "worked"}}}


def activities(given: Any, **changes: Any) -> tuple[Activity, ...]:
    return mapped(given, **{**WORKED, **changes}).activities


def test_no_book_posts_time_unless_it_says_so() -> None:
    assert activities(time_entry(), posting={}) == ()


def test_time_is_what_was_worked_whatever_the_client_pays() -> None:
    given = time_entry(billable={"seconds": 1800}, billable_state="partially_billable")
    (one,) = activities(given)
    assert (one.seconds, one.is_billable, one.hourly_rate) == (3600, False, None)
    assert (one.employee and one.employee.name, one.vendor, str(one.cost_rate)) == (
        "Ann",
        None,
        "40",
    )
    (unpaid,) = activities(time_entry(billable_state="non_billable"))
    assert unpaid.seconds == 3600


@pytest.mark.parametrize(
    "fields",
    [
        {"approval": {"state": "submitted"}},
        {"deleted": {"how": "feed"}},
        {"entry_type": "holiday"},
        {"running": True},
        {"input": {"seconds": 0}},
    ],
)
def test_what_is_no_approved_work_is_not_posted(fields: dict[str, Any]) -> None:
    assert activities(time_entry(**fields)) == ()


def test_the_person_decides_before_the_project_before_the_workflow() -> None:
    none_for_all = {"time": {"time_activities": "none"}}
    project = {"project": "Website", "client": "Acme", "time_activities": "worked"}
    by_workflow = {
        "time": {
            "time_activities": "worked",
            "by_workflow": [{"workflow": "standard", "time_activities": "none"}],
        }
    }
    assert activities(time_entry(), posting=by_workflow) == ()
    assert len(activities(time_entry(), posting=by_workflow, projects=[project])) == 1
    assert len(activities(time_entry(), posting=none_for_all, projects=[project])) == 1
    quiet = {**ANN, "time_activities": "none"}
    assert activities(time_entry(), projects=[project], staff=[quiet]) == ()


def test_who_is_employee_and_vendor_works_as_employee() -> None:
    both = {**ANN, "vendor": {"name": "Ann Ltd"}}
    (one,) = activities(time_entry(), staff=[both])
    assert (one.employee is not None, one.vendor) == (True, None)
    (two,) = activities(time_entry(), staff=[{"staff": "Ann", "vendor": {"name": "Ann Ltd"}}])
    assert (two.employee, two.vendor is not None) == (None, True)


def test_a_subcontractors_time_is_paid_by_bill_and_not_posted() -> None:
    terms = {"staff": "Ann", "vendor": {"name": "Ann Ltd"}, "cost_rate": "70"}
    assert activities(time_entry(), subcontractors=[terms], staff=[]) == ()
    asked = {**ANN, "time_activities": "worked"}
    assert len(activities(time_entry(), subcontractors=[terms], staff=[asked])) == 1


def test_nobody_in_the_ledger_makes_the_record_wait() -> None:
    result = mapped(time_entry(), **{**WORKED, "staff": []})
    assert (result.outcome, codes(result)) == (MappingOutcome.PARKED, ["no_mapping"])
    assert result.waits_for == ("staff:Ann",)
    assert (result.charges, result.activities) == ((), ())


def test_linked_time_carries_its_charge_and_rate() -> None:
    posting = {"time": {"time_activities": "worked", "billable_link": True}}
    result = mapped(time_entry(), **{**WORKED, "posting": posting})
    (one,) = result.activities
    assert one.is_billable
    assert (one.charge_id, str(one.hourly_rate)) == (result.charges[0].charge_id, "150.00")


def test_own_fields_come_from_the_source_or_the_book() -> None:
    rules = [
        {"field": "PO Number", "source_field": "po"},
        {"field": "Office", "value": "Oslo"},
    ]
    given = time_entry(custom_fields=[{"id": "9", "name": "PO", "value": "4711"}])
    (charge,) = mapped(given, posting={"custom_fields": rules}).charges
    fields = [(field.name, field.value) for field in charge.custom_fields or ()]
    assert fields == [("PO Number", "4711"), ("Office", "Oslo")]
