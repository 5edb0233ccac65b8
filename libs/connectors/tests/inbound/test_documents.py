"""Touched documents, payments and time of the ledger: changes, deletions, history."""

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.connectors.quickbooks_online.inbound.time_activities import worked
from hourbridge.connectors.source import Span
from hourbridge.sandbox.quickbooks_online import change_capture

pytestmark = pytest.mark.database

MARCH = Span(date(2026, 3, 1), date(2026, 3, 31))


def add_invoice(books, number="X-1", amount=100, day="2026-03-05"):
    line = {
        "DetailType": "SalesItemLineDetail",
        "Amount": amount,
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
    }
    body = {"CustomerRef": {"value": "1"}, "DocNumber": number, "TxnDate": day, "Line": [line]}
    return books.person("add", changes=body)


def test_touched_documents_come_with_kind_and_state(reader, books):
    invoice = add_invoice(books)
    books.person("pay", id=invoice["Id"], amount=40)
    found = reader.names("changes")
    touched = found[f"transaction:Invoice:{invoice['Id']}"]
    assert (touched.list_name, touched.type, touched.code) == ("transaction", "Invoice", "X-1")
    assert Decimal(touched.attributes["Balance"]) == 60
    assert touched.edit_token == "1"  # the payment gave it another
    assert {one.type for one in found.values()} == {"Invoice", "Payment"}


def test_our_own_write_says_nothing_new_when_it_comes_back(reader, ledger, document, create):
    reader.read("changes")
    written = ledger.write(create(document()))
    (statement,) = reader.read("changes")
    assert statement.record.edit_token == written.edit_token
    assert statement.record.updated_at == written.updated_at
    assert statement.record.attributes["document_id"] == written.marked_document_id
    assert reader.read("changes") == []


def test_a_deleted_document_leaves_its_tombstone(reader, books):
    invoice = add_invoice(books)
    reader.read("changes")
    books.person("delete", id=invoice["Id"])
    (statement,) = reader.read("changes")
    assert statement.record.external_id == f"transaction:Invoice:{invoice['Id']}"
    assert statement.record.deleted.how == "feed"
    assert reader.source.gone("changes", [statement.record.external_id]) == {
        statement.record.external_id
    }


def test_a_voided_document_lives_and_says_so(reader, books):
    invoice = add_invoice(books)
    books.person("void", id=invoice["Id"])
    (statement,) = reader.read("changes")
    assert statement.record.deleted is None and not statement.record.is_active
    assert statement.record.attributes["is_voided"] == "true"


def test_a_cut_answer_is_asked_entity_by_entity_and_then_by_query(open_reader, books, monkeypatch):
    reader = open_reader(page_rows=10)
    gone = add_invoice(books, "gone")
    reader.read("changes")
    books.advance(1000)
    books.person("delete", id=gone["Id"])
    for number in range(25):
        invoice = add_invoice(books, f"N{number}")
        books.person("pay", id=invoice["Id"])
    monkeypatch.setattr(change_capture.changes, "__kwdefaults__", {"objects_max": 30})
    found = reader.read("changes")
    kinds = [one.record.type for one in found if one.record.deleted is None]
    assert set(kinds) == {"Invoice", "Payment"}
    assert len({one.record.external_id for one in found}) >= 50 + 1
    assert any(one.record.deleted for one in found)


def test_a_position_of_last_month_is_caught_up_by_query(reader, books):
    reader.read("changes")
    books.advance(40 * 86_400)
    invoice = add_invoice(books)
    found = reader.read("changes")
    assert [one.record.entry_id for one in found] == [invoice["Id"]]
    assert "deletions in between are unknown" in reader.pages[0].notes[0]
    books.person("delete", id=invoice["Id"])
    assert [one.record.deleted is not None for one in reader.read("changes")] == [True]


def test_history_of_documents_by_days(reader, books):
    for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"):
        add_invoice(books, day, day=day)
    found = reader.history("changes", MARCH)
    assert [one.record.code for one in found] == ["2026-03-01", "2026-03-31"]


def test_payments_name_the_invoices_that_they_settle(reader, books):
    first, second = add_invoice(books, "X-1"), add_invoice(books, "X-2")
    books.person("pay", id=first["Id"], amount=40, date="2026-03-06")
    payment = books.person("pay", id=second["Id"], date="2026-03-07")
    found = reader.names("payment")
    told = found[payment["Id"]]
    assert told.in_ledger and told.payment_date == date(2026, 3, 7)
    assert (told.amount, told.currency) == (Decimal(100), "USD")
    assert [(a.document_number, a.amount) for a in told.applications] == [("X-2", Decimal(100))]
    assert told.client_id == "1"


def test_a_voided_payment_is_withdrawn_not_zero(reader, books):
    payment = books.person("pay", id=add_invoice(books)["Id"])
    reader.read("payment")
    books.person("void", "payment", id=payment["Id"])
    (statement,) = reader.read("payment")
    assert statement.record.deleted is not None
    assert reader.source.gone("payment", [payment["Id"]]) == frozenset()


def test_an_unapplied_payment_keeps_its_money(reader, books):
    invoice = add_invoice(books)
    payment = books.person("pay", id=invoice["Id"])
    reader.read("payment")
    books.person("delete", id=invoice["Id"], unapply=True)
    (statement,) = reader.read("payment")
    assert statement.record.external_id == payment["Id"]
    assert statement.record.deleted is None
    assert (statement.record.amount, statement.record.applications) == (Decimal(100), ())


def test_a_deleted_payment_is_told(reader, books):
    payment = books.person("pay", id=add_invoice(books)["Id"])
    reader.read("payment")
    books.person("delete", "payment", id=payment["Id"])
    (statement,) = reader.read("payment")
    assert statement.record.deleted is not None and "made up" in statement.record.derivation[0]
    assert reader.source.gone("payment", [payment["Id"]]) == {payment["Id"]}


def test_our_own_payments_do_not_come_back(reader, books):
    invoice = add_invoice(books)
    payment = books.person("pay", id=invoice["Id"])
    books.person(
        "add",
        "payment",
        changes={
            "CustomerRef": {"value": "1"},
            "TotalAmt": 5,
            "PrivateNote": "hourbridge:5b2c2a9e-0000-5000-8000-000000000001",
        },
    )
    assert [one.record.external_id for one in reader.read("payment")] == [payment["Id"]]
    assert reader.pages[-1].skipped == {"own_document": 1}


def test_time_of_the_ledger_comes_in_by_change_and_by_days(reader, books):
    def add(day, **fields):
        body = {"NameOf": "Vendor", "VendorRef": {"value": "1"}, "TxnDate": day, **fields}
        return books.person("add", "timeactivity", changes=body)

    first = add("2026-03-02", Hours=1, Minutes=15, Description="Design")
    add("2026-04-02", Hours=2, Minutes=0)
    add("2026-03-03", Hours=1, Minutes=0, Description="[T-1 hourbridge:5b2c2a9e]")
    entries = {one.record.external_id: one.record for one in reader.history("time_activity", MARCH)}
    entry = entries[first["Id"]]
    assert (entry.work_date, entry.input.seconds) == (date(2026, 3, 2), 4500)
    assert entry.staff_id == "vendor:1" and entry.notes == "Design"
    assert "imported from the ledger" in entry.derivation
    (link,) = entry.links
    assert (link.target_system, link.type, link.id) == (
        "quickbooks_online",
        "TimeActivity",
        first["Id"],
    )
    assert len(entries) == 1 and reader.pages[-1].skipped == {"own_document": 1}
    assert reader.pages[-1].reading.is_snapshot
    assert len(reader.read("time_activity")) == 2
    books.advance(1000)
    reader.read("time_activity")  # the overlap shows them once more
    assert reader.read("time_activity") == []


def test_touched_time_is_found_by_query(reader, books):
    reader.read("changes")
    body = {"NameOf": "Vendor", "VendorRef": {"value": "1"}, "Hours": 1, "Minutes": 0}
    made = books.person("add", "timeactivity", changes=body)
    (statement,) = reader.read("changes")
    assert statement.record.external_id == f"transaction:TimeActivity:{made['Id']}"
    assert reader.read("changes") == []
    books.person("delete", "timeactivity", id=made["Id"])
    assert reader.read("changes") == []  # only a webhook tells
    assert reader.source.gone("changes", [statement.record.external_id])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"Hours": 8, "Minutes": 20}, (30_000, 0)),
        ({"StartTime": "08:00:00-08:00", "EndTime": "17:00:00-08:00"}, (32_400, 0)),
        (
            {
                "StartTime": "2026-03-01T22:00:00-08:00",
                "EndTime": "2026-03-01T01:30:00-08:00",
                "BreakMinutes": 30,
            },
            (10_800, 1800),
        ),
        ({"Minutes": 5, "Seconds": 30}, (330, 0)),
    ],
)
def test_worked_time(row, expected):
    assert worked(row) == expected
