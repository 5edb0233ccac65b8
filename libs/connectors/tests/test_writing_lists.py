"""Entries of lists in the stand-in: created once, changed without losing what others wrote."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hourbridge.common.book import LedgerBinding
from hourbridge.common.errors import (
    EditTokenStale,
    LedgerOutcomeUnknown,
    LedgerRejected,
)
from hourbridge.common.messages.records import ListEntry
from hourbridge.connectors.list_opening import open_ledger_writer
from hourbridge.connectors.list_writer import ListWrite, ListWriter
from hourbridge.connectors.quickbooks_online.list_forms import FORMS
from hourbridge.connectors.quickbooks_online.list_searching import ListSearch

pytestmark = pytest.mark.database


@pytest.fixture
def writer(connections: Any, new_connection: Any) -> Iterator[ListWriter]:
    binding = LedgerBinding(connection="main", company_id=new_connection.company_id)
    with contextlib.closing(open_ledger_writer(binding, connections, timeout_seconds=5)) as writer:
        yield writer


def entry(list_name: str, name: str, **fields: Any) -> ListEntry:
    return ListEntry(
        external_id=f"{list_name}:?", list_name=list_name, entry_id="?", name=name, **fields
    )


def create(list_name: str, name: str, key: str = "key-1", **fields: Any) -> ListWrite:
    repeat = fields.pop("is_repeat", False)
    wanted = entry(list_name, name, **fields)
    return ListWrite(key, "create", list_name, wanted, is_repeat=repeat)


def change(kind: Any, held: ListEntry, key: str = "change-1", **fields: Any) -> ListWrite:
    token = fields.pop("edit_token", held.edit_token)
    wanted = entry(held.list_name, fields.pop("name", held.name), **fields)
    return ListWrite(key, kind, held.list_name, wanted, held.entry_id, token)


def test_a_customer_and_its_job(writer: ListWriter, books: Any) -> None:
    made = writer.write_entry(
        create("customer", " Fresh & Co ", email="a@b.example", attributes={"Notes": "VIP"})
    )
    assert not made.is_adopted
    assert (made.entry.name, made.entry.email) == ("Fresh & Co", "a@b.example")
    assert made.entry.attributes["Notes"] == "VIP", "our marker is no part of the note"
    job = writer.write_entry(
        create("customer", "Fresh roof", "key-2", parent_id=made.entry.entry_id)
    ).entry
    assert (job.parent_id, job.full_name) == (made.entry.entry_id, "Fresh & Co:Fresh roof")
    (stored,) = [row for row in books.stored("Customer") if row["Id"] == job.entry_id]
    assert stored["Job"] is True
    assert writer.read_entry("customer", job.entry_id) == job
    assert writer.read_entry("customer", "99999") is None


def income(books: Any) -> str:
    return str(next(r["Id"] for r in books.stored("Account") if r["AccountType"] == "Income"))


LISTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "vendor": lambda books: {"code": "V-7", "email": "v@example.com"},
    "employee": lambda books: {"email": "e@example.com"},
    "item": lambda books: {
        "type": "Service",
        "attributes": {"IncomeAccountRef.value": income(books), "UnitPrice": "150.25"},
    },
    "account": lambda books: {"type": "Expense", "code": "6100"},
    "class": lambda books: {},
    "department": lambda books: {},
    "payment_method": lambda books: {"type": "NON_CREDIT_CARD"},
    "term": lambda books: {"attributes": {"DueDays": "45"}},
}


@pytest.mark.parametrize("list_name", LISTS)
def test_each_list_is_created_found_changed_and_retired(
    writer: ListWriter, books: Any, list_name: str
) -> None:
    fields = LISTS[list_name](books)
    made = writer.write_entry(create(list_name, "Ann O'Lee", **fields)).entry
    assert made.name == "Ann O'Lee"
    for name, value in fields.items():
        if name == "attributes":
            assert value.items() <= made.attributes.items()
        else:
            assert getattr(made, name) == value
    assert writer.find_entries(list_name, "ann o'LEE") == (made,)
    renamed = writer.write_entry(change("update", made, name="Ann Lee")).entry
    assert (renamed.name, renamed.entry_id) == ("Ann Lee", made.entry_id)
    assert kept(renamed) == kept(made), "what an update doesn't state stays"
    assert (renamed.email, renamed.code, renamed.type) == (made.email, made.code, made.type)
    gone = writer.write_entry(change("inactivate", renamed, "change-2")).entry
    assert (gone.is_active, gone.name) == (False, "Ann Lee (deleted)")
    assert writer.find_entries(list_name, "Ann Lee") == (gone,)
    back = writer.write_entry(change("reactivate", gone, "change-3")).entry
    assert (back.is_active, back.name) == (True, "Ann Lee")
    assert kept(back) == kept(made)


def kept(held: ListEntry) -> dict[str, str]:
    """The attributes without the name on cheques, which follows the entry's own."""
    check_name = held.attributes.get("PrintOnCheckName", held.name)
    assert check_name == held.name
    return {k: v for k, v in held.attributes.items() if k != "PrintOnCheckName"}


def test_a_full_update_keeps_what_people_wrote(writer: ListWriter, books: Any) -> None:
    """A vendor has no sparse update: every writable field that it has is stated again."""
    made = writer.write_entry(create("vendor", "Paper Mill")).entry
    address = {"Line1": "1 Mill Lane", "City": "Troy"}
    term = books.stored("Term")[0]["Id"]
    changes = {"BillAddr": address, "Vendor1099": True, "TermRef": {"value": term}}
    books.person("edit", "vendor", id=made.entry_id, changes=changes)
    held = writer.read_entry("vendor", made.entry_id)
    assert held is not None
    writer.write_entry(change("update", held, email="mill@example.com"))
    (stored,) = [row for row in books.stored("Vendor") if row["Id"] == made.entry_id]
    assert stored["BillAddr"] == address
    assert (stored["Vendor1099"], stored["TermRef"]["value"]) == (True, term)
    assert stored["PrimaryEmailAddr"] == {"Address": "mill@example.com"}


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize(
    ("list_name", "fault"),
    [
        *((name, "lose_response") for name in ("customer", *LISTS)),
        ("customer", "truncated"),
        ("customer", "error_after_commit"),
    ],
)
def test_a_lost_answer_makes_no_second_entry(
    writer: ListWriter, books: Any, list_name: str, remembers: bool, fault: str
) -> None:
    if not remembers:
        books.settings(requestid_memory_seconds=0)
    fields = LISTS[list_name](books) if list_name in LISTS else {}
    before = len(books.stored(FORMS[list_name].entity))
    books.fault(fault)
    with pytest.raises(LedgerOutcomeUnknown):
        writer.write_entry(create(list_name, "Once", **fields))
    again = writer.write_entry(create(list_name, "Once", is_repeat=True, **fields))
    assert again.entry.name == "Once"
    assert again.is_adopted
    assert len(books.stored(FORMS[list_name].entity)) == before + 1


def test_a_lost_request_is_made_good(writer: ListWriter, books: Any) -> None:
    books.fault("lose_request")
    with pytest.raises(LedgerOutcomeUnknown):
        writer.write_entry(create("customer", "Once"))
    again = writer.write_entry(create("customer", "Once", is_repeat=True))
    assert not again.is_adopted
    assert len([row for row in books.stored("Customer") if row["DisplayName"] == "Once"]) == 1


@pytest.mark.parametrize("holder", ["customer", "vendor", "employee"])
@pytest.mark.parametrize("is_active", [True, False])
def test_a_name_that_is_taken_names_its_holder(
    writer: ListWriter, books: Any, holder: str, is_active: bool
) -> None:
    """Customers, vendors and employees share one space of names, inactive ones included."""
    held = writer.write_entry(create(holder, "Shared Name")).entry
    if not is_active:
        books.person("edit", holder, id=held.entry_id, changes={"Active": False})
        held = writer.read_entry(holder, held.entry_id) or held
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(create("customer", held.name.upper(), "key-2"))
    assert caught.value.reason_code == "name_taken"
    assert caught.value.ids["holder_list"] == holder
    assert caught.value.ids["holder_id"] == held.entry_id
    assert caught.value.ids["holder_active"] == str(is_active).lower()


def test_somebody_elses_entry_is_not_adopted_by_a_repeat(writer: ListWriter, books: Any) -> None:
    """Our first attempt never arrived; meanwhile a person made another one of that name."""
    books.fault("lose_request")
    wanted = create("customer", "Twin", email="ours@example.com")
    with pytest.raises(LedgerOutcomeUnknown):
        writer.write_entry(wanted)
    body = {"DisplayName": "Twin", "PrimaryEmailAddr": {"Address": "theirs@example.com"}}
    theirs = books.person("add", "customer", changes=body)
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(create("customer", "Twin", email="ours@example.com", is_repeat=True))
    assert (caught.value.reason_code, caught.value.ids["holder_id"]) == ("name_taken", theirs["Id"])


def test_an_edit_since_the_decision_is_not_overwritten(writer: ListWriter, books: Any) -> None:
    made = writer.write_entry(create("customer", "Moving")).entry
    books.person("edit", "customer", id=made.entry_id, changes={"CompanyName": "Theirs"})
    with pytest.raises(EditTokenStale) as caught:
        writer.write_entry(change("update", made, attributes={"CompanyName": "Ours"}))
    assert caught.value.reason_code == "edit_token_stale"
    # What they made of it is what we wanted: nothing is left to do.
    done = writer.write_entry(change("update", made, attributes={"CompanyName": "Theirs"}))
    assert done.is_adopted


def test_a_lost_answer_to_a_change_is_found_done(writer: ListWriter, books: Any) -> None:
    made = writer.write_entry(create("vendor", "Moving")).entry
    books.fault("lose_response")
    with pytest.raises(LedgerOutcomeUnknown):
        writer.write_entry(change("update", made, code="V-1"))
    done = writer.write_entry(change("update", made, code="V-1"))
    assert (done.is_adopted, done.entry.code) == (True, "V-1")
    assert done.entry.edit_token == "1"


def test_who_owes_money_stays_active(
    writer: ListWriter, ledger: Any, create_document: Any, books: Any
) -> None:
    create_document()
    (owing,) = writer.find_entries("customer", "O'Neil & Sons")
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(change("inactivate", owing))
    assert caught.value.reason_code == "has_balance"


@pytest.fixture
def create_document(ledger: Any, document: Any, create: Any) -> Callable[[], Any]:
    return lambda: ledger.write(create(document()))


def test_a_name_is_given_back_only_to_its_own(writer: ListWriter, books: Any) -> None:
    made = writer.write_entry(create("customer", "Phoenix")).entry
    gone = writer.write_entry(change("inactivate", made)).entry
    writer.write_entry(create("vendor", "Phoenix", "key-2"))
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(change("reactivate", gone, "change-2"))
    assert (caught.value.reason_code, caught.value.ids["holder_list"]) == ("name_taken", "vendor")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (create("customer", "A:B"), "name_unusable"),
        (create("customer", "x" * 501), "name_unusable"),
        (create("term", "y" * 32, attributes={"DueDays": "1"}), "name_unusable"),
        (create("customer", "Tower", is_project=True), "project_not_creatable"),
        (create("item", "Bolt", type="Inventory"), "income_account_missing"),
        (
            create("item", "Bolt", type="Inventory", attributes={"IncomeAccountRef.value": "1"}),
            "type_not_writable",
        ),
        (create("item", "Bolt", attributes={"IncomeAccountRef.value": "1"}), "item_type_missing"),
        (create("account", "Misc"), "account_type_missing"),
        (create("term", "Soon"), "due_days_missing"),
        (create("term", "Soon", attributes={"DueDays": "x"}), "value_unusable"),
        (create("preferences", "P"), "not_writable"),
        (create("tax_code", "GST"), "rate_missing"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_sent(
    writer: ListWriter, books: Any, wanted: ListWrite, reason: str
) -> None:
    calls = len(books.calls())
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(wanted)
    assert caught.value.reason_code == reason
    assert len(books.calls()) == calls


@pytest.mark.parametrize(
    ("theirs", "is_relevant"),
    [({"Vendor1099": False}, False), ({"CompanyName": "Theirs"}, True)],
)
def test_an_edit_between_reading_and_writing(
    writer: ListWriter,
    books: Any,
    monkeypatch: pytest.MonkeyPatch,
    theirs: dict[str, Any],
    is_relevant: bool,
) -> None:
    """The token is stale when we write: once more if nothing that we write has changed."""
    made = writer.write_entry(create("vendor", "Busy")).entry
    original = ListSearch.row
    reads: list[str] = []

    def row(search: ListSearch, form: Any, entry_id: str) -> Any:
        found = original(search, form, entry_id)
        reads.append(entry_id)
        if len(reads) == 1:
            books.person("edit", "vendor", id=entry_id, changes=theirs)
        return found

    monkeypatch.setattr(ListSearch, "row", row)
    if is_relevant:
        with pytest.raises(EditTokenStale):
            writer.write_entry(change("update", made, code="V-1"))
        return
    written = writer.write_entry(change("update", made, code="V-1")).entry
    assert (written.code, written.edit_token) == ("V-1", "2")


@pytest.mark.parametrize("remembers", [True, False])
def test_a_tax_code_is_created_once(writer: ListWriter, books: Any, remembers: bool) -> None:
    """By a service of its own, whose answer has no envelope; the code doesn't show its rate."""
    if not remembers:
        books.settings(requestid_memory_seconds=0)
    agency = books.person("add", "taxagency", changes={"DisplayName": "State Board"})["Id"]
    fields: dict[str, Any] = {"attributes": {"RateValue": "8.25", "TaxAgencyId": agency}}
    books.fault("lose_response")
    with pytest.raises(LedgerOutcomeUnknown):
        writer.write_entry(create("tax_code", "City", **fields))
    made = writer.write_entry(create("tax_code", "City", is_repeat=True, **fields))
    assert (made.entry.name, made.is_adopted) == ("City", True)
    assert [row["Name"] for row in books.stored("TaxCode")].count("City") == 1
    other = {**fields["attributes"], "RateValue": "9"}
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(create("tax_code", "City", "key-2", is_repeat=True, attributes=other))
    assert caught.value.reason_code == "name_taken"
    with pytest.raises(LedgerRejected) as caught:
        writer.write_entry(change("update", made.entry))
    assert caught.value.reason_code == "not_writable"
