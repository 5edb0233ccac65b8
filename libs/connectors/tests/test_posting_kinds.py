"""Time activities, purchases, batches, own fields and links as the ledger takes them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import LedgerOutcomeUnknown, LedgerRejected
from hourbridge.common.messages.events import Activity, DocumentKind, FormField
from hourbridge.connectors.ledger import LedgerDocument, LedgerWrite, LinkedTime, WriteKind

pytestmark = pytest.mark.database

DAY = date(2026, 1, 31)
CUSTOMER = LedgerReference(name="O'Neil & Sons")


@pytest.fixture(autouse=True)
def ada(books: Any) -> str:
    added = books.person("add", "employee", changes={"DisplayName": "Ada"})
    return str(added["Id"])


def activity(binding: Any, **changes: Any) -> Activity:
    fields = {
        "activity_id": "a1",
        "employee": LedgerReference(name="Ada"),
        "customer": CUSTOMER,
        "item": LedgerReference(name="Consulting"),
        "work_date": DAY,
        "seconds": 4500,
        "currency": "USD",
        "client": "oneil",
        "number_prefix": "HB",
        "ledger": binding,
        "description": "Design",
        **changes,
    }
    return Activity.model_validate(fields)


@pytest.fixture
def time(document: Any) -> Any:
    def make(number: str = "HBT-1", **changes: Any) -> Any:
        plain = document()
        work = activity(plain.ledger, **changes)
        return document(
            kind=DocumentKind.TIME_ACTIVITY,
            number=number,
            document_id=f"time-{number}",
            lines=(),
            total=Decimal(0),
            activity=work,
            customer=work.customer,
            job=work.job,
            department=work.department,
        )

    return make


def test_time_is_written_read_found_changed_and_deleted(ledger, books, time, create) -> None:
    written = ledger.write(create(time()))
    (row,) = books.stored("TimeActivity")
    assert (row["Hours"], row["Minutes"], row["BillableStatus"]) == (1, 15, "NotBillable")
    assert row["Description"] == "Design [HBT-1 hourbridge:time-HBT-1]"
    assert (written.number, written.stated["employee"]) == ("HBT-1", row["EmployeeRef"]["value"])
    assert ledger.find(time()) == written
    assert list(ledger.documents(DocumentKind.TIME_ACTIVITY, DAY, DAY)) == [written]
    longer = time(seconds=7229, cost_rate=Decimal("41.50"))
    target = {"ledger_id": written.ledger_id, "edit_token": written.edit_token}
    changed = ledger.write(LedgerWrite("key-2", WriteKind.UPDATE, longer, **target))
    (row,) = books.stored("TimeActivity")
    assert (row["Hours"], row["Minutes"], row["CostRate"]) == (2, 0, Decimal("41.50"))
    target["edit_token"] = changed.edit_token
    gone = ledger.write(LedgerWrite("key-3", WriteKind.DELETE, longer, **target))
    assert gone.is_deleted
    assert books.stored("TimeActivity") == []
    assert ledger.find(time()) is None


def test_time_entered_by_the_clock_is_read(ledger, books, ada) -> None:
    books.person(
        "add",
        "timeactivity",
        changes={
            "NameOf": "Employee",
            "EmployeeRef": {"value": ada},
            "TxnDate": "2026-01-31",
            "StartTime": "2026-01-31T22:00:00-08:00",
            "EndTime": "2026-01-31T01:30:00-08:00",
            "BreakMinutes": 15,
        },
    )
    (found,) = ledger.documents(DocumentKind.TIME_ACTIVITY, DAY, DAY)
    assert found.lines[0].quantity == Decimal("3.25")
    assert not found.is_ours


def test_a_true_project_stands_beside_its_customer(ledger, books, time, document, create) -> None:
    parent = next(c for c in books.stored("Customer") if c["DisplayName"] == "O'Neil & Sons")
    changes = {
        "DisplayName": "Barn",
        "Job": True,
        "ParentRef": {"value": parent["Id"]},
        "IsProject": True,
    }
    project = books.person("add", "customer", changes=changes)
    barn = LedgerReference(name="O'Neil & Sons:Barn")
    of_time = ledger.write(create(time(job=barn)))
    of_sale = ledger.write(create(document(job=barn), "key-2"))
    for entity in ("TimeActivity", "Invoice"):
        (row,) = books.stored(entity)
        assert row["CustomerRef"]["value"] == parent["Id"]
        assert row["ProjectRef"]["value"] == project["Id"]
    assert of_time.customer_id == of_sale.customer_id == project["Id"]


@pytest.mark.parametrize("counted", [True, False])
def test_linked_time_is_looked_at_again(ledger, books, time, document, create, counted) -> None:
    billable = time(is_billable=True, hourly_rate=Decimal(150))
    posted = ledger.write(create(billable if counted else time()))
    link = LinkedTime(1, posted.ledger_id)
    invoice = document()
    if not counted:
        with pytest.raises(LedgerRejected, match="cannot be linked"):
            ledger.write(create(invoice, "key-2", time_links=(link,)))
        return
    written = ledger.write(create(invoice, "key-2", time_links=(link,)))
    assert written.warnings == ()
    assert books.stored("TimeActivity")[0]["BillableStatus"] == "HasBeenBilled"
    assert ledger.read(DocumentKind.TIME_ACTIVITY, posted.ledger_id).is_billed
    token = {"ledger_id": written.ledger_id, "edit_token": written.edit_token}
    ledger.write(LedgerWrite("key-3", WriteKind.DELETE, invoice, **token))
    assert books.stored("TimeActivity")[0]["BillableStatus"] == "Billable"


# --- own fields, e-mail, locations --------------------------------------------------------------


def name_field(books: Any, name: str) -> None:
    definition = {
        "Name": "SalesFormsPrefs.SalesCustomName2",
        "Type": "StringType",
        "StringValue": name,
    }
    books.prefer("SalesFormsPrefs", CustomField=[{"CustomField": [definition]}])


def test_an_old_field_is_filled_by_its_name(ledger, books, document, create) -> None:
    name_field(books, "PO Number")
    stated = (FormField(name="po number", value="4711"),)
    written = ledger.write(create(document(custom_fields=stated)))
    (row,) = books.stored()
    assert (row["CustomField"][0]["DefinitionId"], row["CustomField"][0]["StringValue"]) == (
        "2",
        "4711",
    )
    assert written.stated["field:po number"] == "4711"
    books.person("edit", id=written.ledger_id, changes={"CustomField": []})
    again = ledger.read(DocumentKind.INVOICE, written.ledger_id)
    assert "field:po number" not in again.stated


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (FormField(name="Nothing", value="x"), "custom_field_unknown"),
        (FormField(name="PO Number", value="x" * 32), "custom_field_too_long"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_before_it_is_sent(
    ledger, books, document, create, field, code
) -> None:
    name_field(books, "PO Number")
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(document(custom_fields=(field,))))
    assert refused.value.reason_code == code
    assert books.stored() == []


def test_a_long_field_is_cut_where_the_book_says_so(ledger, books, document, create) -> None:
    name_field(books, "PO Number")
    field = FormField(name="PO Number", value="x" * 40, too_long="cut")
    written = ledger.write(create(document(custom_fields=(field,))))
    assert written.stated["field:po number"] == "x" * 31


def test_a_newer_field_is_asked_for_and_others_stay(ledger, books, document, create) -> None:
    field = FormField(name="Region", value="North", definition_id="1000000002")
    document_with = document(custom_fields=(field,))
    written = ledger.write(create(document_with))
    assert written.stated == {"field:region": "North"}
    theirs = {"DefinitionId": "1", "Name": "Crew", "StringValue": "B"}
    held = books.stored()[0]["CustomField"]
    edited = books.person(
        "edit", id=written.ledger_id, changes={"CustomField": [*held[:0], theirs]}
    )
    token = {"ledger_id": written.ledger_id, "edit_token": edited["SyncToken"]}
    again = ledger.write(LedgerWrite("key-2", WriteKind.UPDATE, document_with, **token))
    assert again.stated == {"field:region": "North", "field:crew": "B"}


def test_the_ledger_sends_it_once(ledger, books, document, create) -> None:
    wanted = document(email="ap@example.com", email_wanted=True)
    written = ledger.write(create(wanted))
    assert books.stored()[0]["EmailStatus"] == "NeedToSend"
    sent = books.person("send", id=written.ledger_id)
    token = {"ledger_id": written.ledger_id, "edit_token": sent["SyncToken"]}
    ledger.write(LedgerWrite("key-2", WriteKind.UPDATE, wanted, **token))
    assert books.stored()[0]["EmailStatus"] == "EmailSent"


def test_locations_and_classes_follow_the_preferences(
    ledger, books, document, line, create
) -> None:
    books.person("add", "department", changes={"Name": "Oslo"})
    located = document(
        department=LedgerReference(name="Oslo"),
        lines=(line(class_ref=LedgerReference(name="North")),),
    )
    ledger.write(create(located))
    (row,) = books.stored()
    assert "DepartmentRef" not in row
    assert "ClassRef" in row["Line"][0]["SalesItemLineDetail"]
    accounting = {"TrackDepartments": True, "ClassTrackingPerTxnLine": False}
    books.prefer("AccountingInfoPrefs", **accounting)
    ledger.check()
    second = located.model_copy(update={"number": "HB-2", "document_id": "d2"})
    ledger.write(create(second, "key-2"))
    row = books.stored()[1]
    assert "DepartmentRef" in row
    assert "ClassRef" not in row["Line"][0]["SalesItemLineDetail"]


# --- purchases ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "account", "shown"),
    [
        (DocumentKind.CHECK, "Checking", {"PaymentType": "Check"}),
        (DocumentKind.CASH_PURCHASE, "Checking", {"PaymentType": "Cash"}),
        (DocumentKind.CREDIT_CARD_CHARGE, "Company Card", {"PaymentType": "CreditCard"}),
        (
            DocumentKind.CREDIT_CARD_CREDIT,
            "Company Card",
            {"PaymentType": "CreditCard", "Credit": True},
        ),
    ],
)
def test_what_was_paid_at_once(ledger, books, document, line, create, kind, account, shown) -> None:
    paid = document(
        kind=kind,
        customer=None,
        employee=LedgerReference(name="Ada"),
        paid_from=LedgerReference(name=account),
        lines=(line(item=None, account=LedgerReference(name="Project Costs")),),
    )
    written = ledger.write(create(paid))
    (row,) = books.stored("Purchase")
    assert {name: row.get(name) for name in shown} == shown
    assert row["EntityRef"]["type"] == "Employee"
    detail = row["Line"][0]["AccountBasedExpenseLineDetail"]
    assert detail["BillableStatus"] == "NotBillable"
    assert ledger.find(paid) == written
    assert list(ledger.documents(kind, DAY, DAY)) == [written]
    others = {DocumentKind.CREDIT_CARD_CHARGE, DocumentKind.CREDIT_CARD_CREDIT} - {kind}
    assert [x for each in others for x in ledger.documents(each, DAY, DAY)] == []


def test_a_purchase_below_nothing_or_without_own_numbers_is_refused(
    ledger, books, document, line, create
) -> None:
    negative = document(
        kind=DocumentKind.CHECK,
        paid_from=LedgerReference(name="Checking"),
        lines=(line(amount=Decimal(-5), unit_price=Decimal(-5), quantity=Decimal(1)),),
    )
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(negative))
    assert refused.value.reason_code == "negative_total"
    pair = {"Name": "VendorAndPurchasesPrefs.UseCustomTxnNumbers", "Value": "false"}
    with books._server.world.lock:
        (company,) = books._server.world.companies.values()
        company.preferences["OtherPrefs"] = {"NameValue": [pair]}
    ledger.check()
    plain = negative.model_copy(update={"lines": (line(),), "total": Decimal("562.50")})
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(plain))
    assert refused.value.reason_code == "numbers_not_ours"
    assert books.stored("Purchase") == []


# --- batches ------------------------------------------------------------------------------------


def test_each_item_of_a_batch_has_its_own_outcome(ledger, books, time, create) -> None:
    writes = [create(time(f"HBT-{n}"), f"key-{n}") for n in range(5)]
    writes[2] = create(time("HBT-2", item=LedgerReference(id="999")), "key-2")
    outcomes = ledger.write_many(writes)
    kinds = [type(each) for each in outcomes]
    assert kinds == [LedgerDocument, LedgerDocument, LedgerRejected, *[LedgerDocument] * 2]
    assert [each.number for at, each in enumerate(outcomes) if at != 2] == [
        "HBT-0",
        "HBT-1",
        "HBT-3",
        "HBT-4",
    ]
    assert len([call for call in books.calls() if call["path"].endswith("batch")]) == 1
    assert len(books.stored("TimeActivity")) == 4


def test_an_unanswered_batch_leaves_every_item_unknown(ledger, books, time, create) -> None:
    writes = [create(time(f"HBT-{n}"), f"key-{n}") for n in range(3)]
    ledger.check()
    books.fault("lose_response")
    outcomes = ledger.write_many(writes)
    assert {type(each) for each in outcomes} == {LedgerOutcomeUnknown}
    assert [ledger.find(write.document).number for write in writes] == ["HBT-0", "HBT-1", "HBT-2"]


def test_changes_and_deletions_share_a_batch(ledger, books, time, create) -> None:
    first, second, third = ledger.write_many(
        [create(time(f"HBT-{n}"), f"key-{n}") for n in range(3)]
    )
    books.person("edit", "timeactivity", id=third.ledger_id, changes={"Hours": 9})

    def change(kind: WriteKind, held: LedgerDocument, **fields: Any) -> LedgerWrite:
        stated = time(held.number, **fields)
        target = {"ledger_id": held.ledger_id, "edit_token": held.edit_token}
        return LedgerWrite(f"{kind}-{held.number}", kind, stated, **target)

    outcomes = ledger.write_many(
        [
            change(WriteKind.UPDATE, first, seconds=7200),
            change(WriteKind.DELETE, second),
            change(WriteKind.DELETE, third),
        ]
    )
    assert [type(each).__name__ for each in outcomes] == [
        "LedgerDocument",
        "LedgerDocument",
        "EditTokenStale",
    ]
    assert sorted(row["Hours"] for row in books.stored("TimeActivity")) == [2, 9]
