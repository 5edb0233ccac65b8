"""A book's configuration: what is accepted, and how precisely the rest is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from hourbridge.common.book import (
    BookConfiguration,
    Grouping,
    LedgerReference,
    RoundingScope,
    parse_book_configuration,
)
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.money import RoundingMode

DOCUMENT = """
book: acme
currency: USD
zone: America/New_York
ledger: {connection: qbo-acme, company_id: "9341453"}
sources:
  - {name: toggl-acme, system: toggl}
clients:
  - client: Northwind Traders
    source: toggl-acme
    customer: {name: Northwind Traders}
    effective_from: 2026-01-01
    invoicing: {grouping: client_quarter}
    flat_fee: {amount: "4000.00", term: quarter}
tasks:
  - {task: Design, item: {id: "4"}}
expenses:
  - {category: Travel, account: {id: "79"}, markup_percent: "10"}
rates:
  rules:
    - {staff: Ana Souza, amount: "150.00"}
"""


def parsed(**changes: Any) -> BookConfiguration:
    return parse_book_configuration({**yaml.safe_load(DOCUMENT), **changes})


def refusal(**changes: Any) -> str:
    with pytest.raises(ConfigurationInvalid) as refused:
        parsed(**changes)
    return refused.value.what


def test_reads_what_is_written() -> None:
    book = parsed()
    client = book.clients[0]
    assert client.customer.key == "name:Northwind Traders"
    assert client.effective_from == date(2026, 1, 1)
    assert client.invoicing is not None
    assert client.invoicing.grouping is Grouping.CLIENT_QUARTER
    assert client.flat_fee is not None
    assert client.flat_fee.amount == Decimal("4000.00")
    assert book.rates.rules[0].amount == Decimal("150.00")


def test_policies_have_the_documented_defaults() -> None:
    book = parsed()
    rounding = book.rounding
    assert (rounding.increment_seconds, rounding.mode) == (360, RoundingMode.HALF_UP)
    assert (rounding.scope, rounding.minimum_seconds) == (RoundingScope.ENTRY, 0)
    assert rounding.quantity_decimals is None
    assert book.invoicing.grouping is Grouping.PROJECT_MONTH
    assert book.corrections.mode == "credit_memo"
    assert book.billable.approved_only


def test_survives_the_message_that_carries_it() -> None:
    book = parsed()
    assert BookConfiguration.model_validate_json(book.model_dump_json()) == book


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zone": "America/Springfield"}, "zone"),
        ({"zone": "../etc/passwd"}, "zone"),
        ({"currency": "XAU"}, "currency"),
        ({"book": "Acme Inc"}, "book"),
        ({"sources": []}, "sources"),
        ({"sources": [{"name": "a"}, {"name": "a"}], "clients": []}, "unique"),
        ({"sources": [{"name": "harvest"}]}, "unknown source 'toggl-acme'"),
        ({"ledger": {"kind": "abacus", "connection": "c", "company_id": "1"}}, "ledger.kind"),
        ({"rates": {"rules": [{"amount": 150.0}]}}, "rates.rules.0.amount"),
        ({"rates": {"rules": [{"amount": "-1.00"}]}}, "rates.rules.0.amount"),
        ({"rates": {"order": [["boss"]]}}, "rates.order.0.0"),
        ({"rounding": {"increment_seconds": 0}}, "rounding.increment_seconds"),
        ({"rounding": {"money_mode": "up"}}, "rounding.money_mode"),
        ({"invoicing": {"number_prefix": "TOO-LONG"}}, "invoicing.number_prefix"),
        ({"default_item": {}}, "needs an id or a name"),
        ({"tasks": [{"task": "Design"}]}, "tasks.0.item"),
        ({"expenses": [{"category": "Travel"}]}, "exactly one of item and account"),
        (
            {"expenses": [{"category": "T", "item": {"id": "1"}, "account": {"id": "2"}}]},
            "exactly one of item and account",
        ),
        (
            {
                "clients": [
                    {
                        "client": "c",
                        "customer": {"id": "1"},
                        "effective_from": date(2026, 2, 1),
                        "effective_to": date(2026, 1, 1),
                    }
                ]
            },
            "effective_to lies before effective_from",
        ),
    ],
)
def test_names_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    assert said in refusal(**changes)


def test_names_every_wrong_field_at_once() -> None:
    said = refusal(zone="Nowhere/Land", currency="XAU")
    assert "zone" in said
    assert "currency" in said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"roundings": {}}, "roundings"),
        ({"rounding": {"increment": 360}}, "rounding.increment"),
        ({"tasks": [{"task": "Design", "item": {"id": "4"}, "itme": {}}]}, "tasks.0.itme"),
        ({"sources": [{"name": "toggl-acme", "zome": "UTC"}]}, "sources.0.zome"),
    ],
)
def test_a_misspelt_field_is_refused_not_ignored(changes: dict[str, Any], field: str) -> None:
    assert refusal(**changes) == f"unknown fields: {field}"


@pytest.mark.parametrize("document", [None, [], "book: acme", 5])
def test_what_is_no_mapping_is_refused(document: Any) -> None:
    with pytest.raises(ConfigurationInvalid):
        parse_book_configuration(document)


@pytest.mark.parametrize(
    ("day", "holds"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-06-30", True), ("2026-07-01", False)],
)
def test_rules_hold_from_their_first_to_their_last_day(day: str, holds: bool) -> None:
    client = {
        "client": "c",
        "customer": {"id": "1"},
        "effective_from": date(2026, 1, 1),
        "effective_to": date(2026, 6, 30),
    }
    rule = parsed(clients=[client]).clients[0]
    assert rule.holds_on(date.fromisoformat(day)) is holds


def test_a_reference_is_known_by_its_id_first() -> None:
    assert LedgerReference(id="4", name="Design").key == "id:4"
