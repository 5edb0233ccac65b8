"""Reading back: pages, windows, lists, names."""

from datetime import date, timedelta

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import ConfigurationInvalid, LedgerRejected
from hourbridge.common.messages.events import DocumentKind

pytestmark = pytest.mark.database

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)


def add_invoices(books, count, day=FIRST):
    for number in range(count):
        line = {
            "DetailType": "SalesItemLineDetail",
            "Amount": number,
            "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
        }
        changes = {
            "CustomerRef": {"value": "1"},
            "DocNumber": f"X{day}-{number}",
            "TxnDate": str(day),
            "Line": [line],
        }
        books.person("add", changes=changes)


def test_all_pages_are_read(ledger, books):
    add_invoices(books, 2050)
    found = list(ledger.documents(DocumentKind.INVOICE, FIRST, LAST))
    assert len(found) == 2050
    assert len({one.ledger_id for one in found}) == 2050
    assert sum(one.total for one in found) == sum(range(2050))
    assert not any(one.is_ours for one in found)


def test_a_deletion_between_two_pages_hides_no_document(ledger, books):
    add_invoices(books, 1500)
    rows = ledger.documents(DocumentKind.INVOICE, FIRST, LAST)
    seen = [next(rows).ledger_id]
    for identity in range(5, 15):
        books.person("delete", id=str(identity))
    seen += [one.ledger_id for one in rows]
    remaining = {one["Id"] for one in books.stored()}
    assert remaining <= set(seen)
    assert len(seen) == len(set(seen))


def test_the_window_includes_both_ends(ledger, books):
    for day in (FIRST - timedelta(days=1), FIRST, LAST, LAST + timedelta(days=1)):
        add_invoices(books, 1, day)
    found = ledger.documents(DocumentKind.INVOICE, FIRST, LAST)
    assert [one.document_date for one in found] == [FIRST, LAST]


def test_an_empty_window(ledger):
    assert list(ledger.documents(DocumentKind.CREDIT_MEMO, FIRST, LAST)) == []


def test_lists_show_inactive_entries_too(ledger, books):
    books.person("edit", "item", id="2", changes={"Active": False})
    items = {one.name: one for one in ledger.entities("item")}
    assert items["Consulting"].is_active
    assert not items["Travel (deleted)"].is_active
    assert {one.ledger_id for one in ledger.entities("tax_code")} == {"TAX", "NON"}
    assert {one.name for one in ledger.entities("term")} == {"Net 30", "Net 15"}
    assert {one.name for one in ledger.entities("class")} == {"North"}
    assert "Income" in {one.type for one in ledger.entities("account")}
    roof = next(one for one in ledger.entities("customer") if one.name == "Roof")
    assert roof.full_name == "O'Neil & Sons:Roof"
    assert roof.parent_id is not None


def test_names_and_ids_resolve(ledger):
    by_name = ledger.resolve("customer", LedgerReference(name="Roof"))
    by_path = ledger.resolve("customer", LedgerReference(name="O'Neil & Sons:Roof"))
    by_id = ledger.resolve("customer", LedgerReference(id=by_name.ledger_id))
    assert by_name == by_path == by_id
    assert ledger.resolve("customer", LedgerReference(name="Nobody")) is None


def test_a_name_appears_once_it_exists(ledger, books):
    reference = LedgerReference(name="Later")
    assert ledger.resolve("customer", reference) is None
    books.person("add", "customer", changes={"DisplayName": "Later"})
    assert ledger.resolve("customer", reference).name == "Later"


def test_a_name_of_several_entries_is_ambiguous(ledger, books):
    income = {"value": next(a["Id"] for a in books.stored("Account") if a["Name"] == "Services")}
    for category in ("A", "B"):
        parent = books.person("add", "item", changes={"Name": category, "Type": "Category"})
        books.person(
            "add",
            "item",
            changes={
                "Name": "Twin",
                "Type": "Service",
                "IncomeAccountRef": income,
                "ParentRef": {"value": parent["Id"]},
            },
        )
    with pytest.raises(LedgerRejected) as caught:
        ledger.resolve("item", LedgerReference(name="Twin"))
    assert caught.value.reason_code == "reference_ambiguous"
    assert ledger.resolve("item", LedgerReference(name="A:Twin")).full_name == "A:Twin"


def test_an_unknown_list_is_a_configuration_error(ledger):
    with pytest.raises(ConfigurationInvalid):
        ledger.resolve("warehouse", LedgerReference(name="x"))


def test_check_tells_when_the_company_numbers_by_itself(ledger, books):
    assert list(ledger.check()) == []
    books.prefer("SalesFormsPrefs", CustomTxnNumbers=False)
    (problem,) = ledger.check()
    assert "custom transaction numbers" in problem


def test_check_tells_when_access_was_withdrawn(ledger, books):
    books.tokens().disconnect("4620816365000000001")
    (problem,) = ledger.check()
    assert "ledger_authorization_expired" in problem
