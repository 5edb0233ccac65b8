"""Receipts that go with documents into the ledger's books."""

from decimal import Decimal

import pytest

from hourbridge.common.errors import LedgerOutcomeUnknown, LedgerRejected
from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerFile, LedgerWrite, WriteKind

pytestmark = pytest.mark.database
SCAN = LedgerFile("r1", "hotel.pdf", "application/pdf", b"%PDF\r\n\x00\xff binary\n--end\r\n")
LINKED = LedgerFile("r2", "taxi.png", "image/png", url="https://source.example/r2")
REALM = "4620816365000000001"


def attach(document, ledger_id, *files, key="attach-1", **fields):
    return LedgerWrite(key, WriteKind.APPLY, document, ledger_id, files=files, **fields)


def test_receipts_are_attached_once(ledger, books, document, create, sandbox):
    stated = document()
    posted = ledger.write(create(stated))
    for key in ("attach-1", "attach-1", "attach-2"):
        ledger.write(attach(stated, posted.ledger_id, SCAN, LINKED, key=key))
    scan, link = books.stored("Attachable")
    assert (scan["FileName"], scan["ContentType"]) == ("hotel.pdf", "application/pdf")
    assert scan["Note"] == "hourbridge-file:r1"
    (reference,) = scan["AttachableRef"]
    assert reference["EntityRef"] == {"type": "Invoice", "value": posted.ledger_id}
    assert sandbox.world.companies[REALM].files[scan["Id"]] == SCAN.content
    assert link["Note"] == "hourbridge-file:r2 taxi.png https://source.example/r2"
    assert "FileName" not in link


def test_a_lost_answer_attaches_no_second_time(ledger, books, document, create):
    stated = document()
    posted = ledger.write(create(stated))
    books.settings(requestid_memory_seconds=0)
    books.fault("lose_response", on="writes")
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(attach(stated, posted.ledger_id, SCAN, LINKED))
    ledger.write(attach(stated, posted.ledger_id, SCAN, LINKED, is_repeat=True))
    assert len(books.stored("Attachable")) == 2


def test_the_same_receipt_belongs_to_several_documents(ledger, books, document, create):
    for number in ("HB-1", "HB-2"):
        stated = document(number=number, document_id=f"id-{number}")
        posted = ledger.write(create(stated, number))
        ledger.write(attach(stated, posted.ledger_id, SCAN, key=f"attach-{number}"))
    assert len(books.stored("Attachable")) == 2


def test_a_file_of_a_type_that_the_ledger_does_not_take_is_refused(ledger, books, document, create):
    stated = document()
    posted = ledger.write(create(stated))
    odd = LedgerFile("r3", "receipt.exe", "application/x-msdownload", b"MZ")
    with pytest.raises(LedgerRejected, match="type that is not taken") as refused:
        ledger.write(attach(stated, posted.ledger_id, odd))
    assert refused.value.reason_code == "2010"
    assert books.stored("Attachable") == []


def test_a_bill_keeps_its_receipt(ledger, books, document, line, create):
    from hourbridge.common.book import LedgerReference

    cost = line(
        item=None,
        account=LedgerReference(name="Project Costs"),
        quantity=Decimal(1),
        unit_price=Decimal("61.20"),
        amount=Decimal("61.20"),
    )
    stated = document(
        kind=DocumentKind.VENDOR_BILL,
        customer=None,
        vendor=LedgerReference(name="Hotel Ritz"),
        lines=(cost,),
    )
    posted = ledger.write(create(stated))
    done = ledger.write(attach(stated, posted.ledger_id, SCAN))
    assert (done.kind, done.total) == (DocumentKind.VENDOR_BILL, Decimal("61.20"))
    assert books.stored("Attachable")[0]["AttachableRef"][0]["EntityRef"]["type"] == "Bill"
