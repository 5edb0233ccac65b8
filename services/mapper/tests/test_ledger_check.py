"""A configuration against the ledger: what is missing there, closed, or only a heading."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.errors import ConfigurationInvalid, LedgerRejected, LedgerUnavailable
from hourbridge.connectors.ledger import LedgerEntity
from hourbridge.mapper.ledger_check import check_ledger, no_ledger
from tests.support.mapping import configuration


class ListedLedger:
    """A ledger that only knows its lists."""

    def __init__(self, *entities: LedgerEntity) -> None:
        self._entities = entities
        self.calls = 0
        self.closed = False
        self.failure: Exception | None = None
        self.problems: list[str] = []

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        if self.failure is not None:
            raise self.failure
        self.calls += 1
        for entity in self._entities:
            same = reference.id in (None, entity.ledger_id)
            named = reference.id is not None or reference.name == entity.name
            if entity.kind == kind and same and named:
                return entity
        return None

    def check(self) -> list[str]:
        return self.problems

    def close(self) -> None:
        self.closed = True

    def open(self, binding: LedgerBinding) -> Any:
        assert binding.connection == "main"
        return self


CUSTOMER = LedgerEntity("customer", "17", "Acme Corp.", currency="USD")
ITEMS = (LedgerEntity("item", "5", "Design"), LedgerEntity("item", "6", "Build"))


def found(ledger: ListedLedger, **changes: Any) -> list[tuple[str, str, str]]:
    findings = check_ledger(configuration(**changes), ledger.open)
    return [(finding.severity, finding.code, finding.where) for finding in findings]


def test_all_that_is_named_exists() -> None:
    ledger = ListedLedger(CUSTOMER, *ITEMS)
    assert found(ledger) == []
    assert ledger.closed


def test_missing_things_are_problems() -> None:
    assert found(ListedLedger(CUSTOMER)) == [
        ("problem", "item_missing", "tasks[0].item"),
        ("problem", "item_missing", "tasks[1].item"),
    ]


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (LedgerEntity("account", "84", "Reimbursable", is_header=True), "account_header"),
        (LedgerEntity("account", "84", "Reimbursable", is_active=False), "account_inactive"),
    ],
)
def test_accounts_that_cannot_be_posted_to(account: LedgerEntity, code: str) -> None:
    expenses = [{"category": "Hotel", "account": {"id": "84"}}]
    ledger = ListedLedger(CUSTOMER, *ITEMS, account)
    assert found(ledger, expenses=expenses) == [("problem", code, "expenses[0].account")]


def test_jobs_terms_and_fee_items_are_looked_up() -> None:
    fee = {"amount": "1", "term": "month", "item": {"id": "f"}}
    changes: dict[str, Any] = {
        "clients": [
            {"client": "Acme", "customer": {"id": "17"}, "terms": {"id": "3"}, "flat_fee": fee}
        ],
        "projects": [{"project": "P", "job": {"id": "171"}}],
        "default_item": {"name": "Consulting"},
    }
    assert [code for _, code, _ in found(ListedLedger(CUSTOMER, *ITEMS), **changes)] == [
        "term_missing",
        "item_missing",
        "customer_missing",
        "item_missing",
    ]


def test_a_customer_is_billed_in_its_own_currency() -> None:
    clients = [{"client": "Acme", "customer": {"id": "17"}, "currency": "EUR"}]
    assert found(ListedLedger(CUSTOMER, *ITEMS), clients=clients) == [
        ("problem", "customer_currency", "clients[0].customer")
    ]


def test_a_name_that_differs_is_only_doubtful() -> None:
    renamed = LedgerEntity("customer", "17", "Acme Corporation", currency="USD")
    assert found(ListedLedger(renamed, *ITEMS)) == [
        ("warning", "name_conflict", "clients[0].customer")
    ]


def test_each_thing_is_asked_for_once() -> None:
    ledger = ListedLedger(CUSTOMER, *ITEMS)
    tasks = [{"task": f"T{n}", "item": {"id": "5"}} for n in range(10)]
    found(ledger, tasks=tasks)
    assert ledger.calls == 2


def test_what_was_not_checked_is_said() -> None:
    [finding] = check_ledger(configuration(), no_ledger)
    assert (finding.severity, finding.code) == ("warning", "ledger_not_checked")
    ledger = ListedLedger()
    ledger.failure = LedgerUnavailable("maintenance")
    assert found(ledger) == [("warning", "ledger_not_checked", "ledger")]
    assert ledger.closed


def test_a_name_that_several_things_have() -> None:
    ledger = ListedLedger()
    ledger.failure = LedgerRejected("two items are called 'Design'", reason_code="ambiguous")
    assert found(ledger, tasks=[]) == [("problem", "customer_unclear", "clients[0].customer")]


def test_a_connection_to_another_company_refuses_the_document() -> None:
    def open_other(binding: LedgerBinding) -> Any:
        raise ConfigurationInvalid("another company", company_id=binding.company_id)

    [finding] = check_ledger(configuration(), open_other)
    assert (finding.severity, finding.code) == ("problem", "ledger_binding")


def test_accounts_stand_on_their_side_of_the_books() -> None:
    def account(id: str, classification: str, **more: Any) -> LedgerEntity:
        return LedgerEntity("account", id, f"A{id}", classification=classification, **more)

    accounts = [
        {"role": "bank", "ledger": {"id": "1"}},
        {"role": "customer_deposits", "ledger": {"id": "2"}},
        {"role": "fx_realized", "ledger": {"id": "3"}},
        {"role": "write_down", "ledger": {"id": "4"}},
        {"role": "unbilled"},
    ]
    ledger = ListedLedger(
        CUSTOMER,
        *ITEMS,
        account("1", "liability"),
        account("2", "liability", is_active=False),
        account("3", "expense"),  # gains and losses may stand on either side
        account("4", "equity"),
    )
    assert found(ledger, accounts=accounts) == [
        ("problem", "account_inactive", "accounts[1].ledger"),
        ("problem", "account_class", "accounts[0].ledger"),
        ("problem", "account_class", "accounts[3].ledger"),
    ]


def test_vendors_tax_codes_and_classes_are_looked_up() -> None:
    changes: dict[str, Any] = {
        "subcontractors": [
            {"staff": "Bo", "vendor": {"name": "Bo Ltd"}, "cost_rate": "1", "account": {"id": "9"}}
        ],
        "staff": [{"staff": "Ann", "vendor": {"name": "Ann"}}],
        "projects": [{"project": "P", "class_ref": {"name": "North"}}],
        "taxes": [{"code": "CA", "percent": "7.75"}, {"code": "NONE", "percent": "0"}],
    }
    assert [code for _, code, _ in found(ListedLedger(CUSTOMER, *ITEMS), **changes)] == [
        "class_missing",
        "vendor_missing",
        "account_missing",
        "vendor_missing",
        "tax_code_missing",
    ]


def test_what_is_wrong_with_the_ledger_itself_is_a_problem() -> None:
    ledger = ListedLedger(CUSTOMER, *ITEMS)
    ledger.problems = ["no account for exchange differences"]
    assert found(ledger) == [("problem", "ledger_setup", "ledger")]
