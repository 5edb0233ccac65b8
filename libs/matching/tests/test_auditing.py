"""What an audit finds, kind by kind, and that it finds nothing in clean books."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from hourbridge.common.book import AccountRole, BookConfiguration, LedgerReference
from hourbridge.matching.auditing.findings import AuditFinding, in_order
from hourbridge.matching.auditing.ledger import TYPES, Named, chart, setup
from hourbridge.matching.auditing.links import missing_links, waiting_work
from hourbridge.matching.auditing.names import across, between_sources, names
from hourbridge.matching.entry import LEDGER, Entry
from libs.matching.tests.worlds import SOURCE, client, customer, entry, project
from tests.support.mapping import configuration

NUMBERS_ON = {"SalesFormsPrefs.CustomTxnNumbers": "true"}


def codes(findings: Iterable[AuditFinding]) -> list[str]:
    return [finding.code for finding in in_order(findings)]


def account(id: str, name: str, type: str, **changes: Any) -> Entry:
    return entry(LEDGER, "account", id, name, type=type, **changes)


def item(id: str, name: str, **changes: Any) -> Entry:
    values: dict[str, Any] = {"type": "Service", "attributes": {"IncomeAccountRef.value": "1"}}
    return entry(LEDGER, "item", id, name, **{**values, **changes})


def test_clean_books_have_no_findings() -> None:
    entries = [client("c1", "Acme"), project("p1", "Site", "c1"), customer("1", "Acme")]
    assert codes(names(entries)) == []
    assert codes(across(entries, frozenset(e.key for e in entries))) == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([client("c1", "Acme"), client("c2", "Acme")], ["duplicate"]),
        ([client("c1", "Acme"), client("c2", "ACME")], ["case_only"]),
        ([client("c1", "Acme"), client("c2", "Acme, Inc.")], ["near_duplicate"]),
        ([client("c1", "Acme"), client("c2", "Acme", is_active=False)], []),
        ([project("p1", "Site", "c1"), project("p2", "Site", "c2")], []),
        ([project("p1", "Site", "c1"), project("p2", "site", "c1")], ["case_only"]),
        ([client("c1", "Acme: West")], ["refused_characters"]),
        ([client("c1", " Acme ")], ["spaces"]),
        ([client("c1", "x" * 101)], ["too_long"]),
        ([customer("1", "Acme (deleted)")], ["deleted_mark"]),
        ([client("c1", "Acme"), entry(LEDGER, "vendor", "9", "acme")], ["name_taken"]),
    ],
)
def test_names(entries: list[Entry], expected: list[str]) -> None:
    assert codes(names(entries)) == expected


def test_near_matches_between_the_sides_and_between_trackers() -> None:
    entries = [client("c1", "The Acme Company"), customer("1", "Acme")]
    assert codes(across(entries, frozenset())) == ["near_match"]
    others = [client("c1", "Acme Ltd"), client("c9", "ACME", side="toggl")]
    assert codes(between_sources(others)) == ["near_duplicate"]


def test_accounts_against_their_roles() -> None:
    roles = [
        {"role": "revenue", "ledger": {"id": "1"}},
        {"role": "bank", "ledger": {"id": "2"}},
        {"role": "payable", "ledger": {"name": "Nowhere"}},
    ]
    book = configuration(accounts=roles)
    entries = [
        account("1", "Sales", "Income", currency="EUR"),
        account("2", "Cash", "Expense", is_active=False),
    ]
    named = [
        Named(f"accounts[{at}].ledger", "account", each.ledger)
        for at, each in enumerate(book.accounts)
        if each.ledger
    ]
    assert codes(chart(book, named, entries)) == [
        "account_inactive",
        "account_missing",
        "account_type",
        "account_currency",
    ]


def test_every_role_has_types() -> None:
    assert set(TYPES) == set(AccountRole)


def test_items_need_an_income_account_that_is_open() -> None:
    book = configuration()
    named = [Named("tasks[0].item", "item", LedgerReference(name="Design"))]
    accounts = [account("1", "Sales", "Income")]
    assert codes(chart(book, named, [item("5", "Design"), *accounts])) == []
    bare = item("5", "Design", attributes={})
    assert codes(chart(book, named, [bare, *accounts])) == ["item_without_income"]
    header = item("5", "Design", is_header=True)
    assert codes(chart(book, named, [header, *accounts])) == ["item_header"]
    closed = [account("1", "Sales", "Income", is_active=False)]
    assert codes(chart(book, named, [item("5", "Design"), *closed])) == ["income_account_inactive"]


def test_lists_that_were_never_read_are_not_called_empty() -> None:
    named = [Named("tasks[0].item", "item", LedgerReference(name="Design"))]
    assert codes(chart(configuration(), named, [])) == []


def test_missing_links_are_told_unless_a_rule_names_them() -> None:
    entries = [
        client("c1", "Acme"),
        client("c2", "Birch"),
        client("c3", "Cedar"),
        client("c4", "House", is_blocked=True),
        project("p1", "Site", "c1"),
    ]
    ruled = {"client": frozenset({"Birch"})}
    found = in_order(missing_links(entries, frozenset({(SOURCE, "client", "c1")}), ruled))
    assert [(f.severity, f.subject) for f in found] == [
        ("warning", "bigtime: client 'Cedar' (c3)"),
        ("note", "bigtime: project 'Site' (p1)"),
    ]


def test_what_waits_comes_with_its_number_of_records() -> None:
    [finding] = waiting_work({"client:Acme": 3})
    assert finding.severity == "error"
    assert finding.detail.startswith("3 records can't be posted")


def preferences(book: BookConfiguration, **settings: str) -> list[str]:
    values = {**NUMBERS_ON, **{name.replace("__", "."): v for name, v in settings.items()}}
    return codes(setup(book, values, closed_through=None, open_from=None))


def test_settings_of_the_ledger_that_matter() -> None:
    plain = configuration()
    assert preferences(plain) == []
    assert preferences(plain, SalesFormsPrefs__CustomTxnNumbers="false") == ["custom_numbers"]
    classes = configuration(
        tasks=[{"task": "Design", "item": {"id": "5"}, "class_ref": {"id": "c"}}]
    )
    assert preferences(classes) == ["classes_off"]
    assert preferences(classes, AccountingInfoPrefs__ClassTrackingPerTxnLine="true") == []
    foreign = configuration(
        clients=[{"client": "Acme", "customer": {"id": "17"}, "currency": "EUR"}],
        rates={},
    )
    assert preferences(foreign) == ["multicurrency_off"]
    assert preferences(foreign, CurrencyPrefs__MultiCurrencyEnabled="true") == []


@pytest.mark.parametrize(
    ("open_from", "severity"), [(date(2026, 1, 15), "error"), (date(2026, 3, 1), "note")]
)
def test_closed_periods(open_from: date, severity: str) -> None:
    closed = date(2026, 1, 31)
    [finding] = setup(configuration(), NUMBERS_ON, closed_through=closed, open_from=open_from)
    assert finding.severity == severity
