"""Updates and deletes: others' edits and fields survive, repeats do no harm."""

from decimal import Decimal

import pytest

from hourbridge.common.errors import (
    DocumentMissing,
    EditTokenStale,
    LedgerOutcomeUnknown,
    LedgerRejected,
    PeriodClosed,
)
from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerWrite, WriteKind

pytestmark = pytest.mark.database


def change(kind, of, posted, key="key-2", **fields):
    given = {"ledger_id": posted.ledger_id, "edit_token": posted.edit_token} | fields
    return LedgerWrite(operation_key=key, kind=kind, document=of, **given)


@pytest.fixture
def posted(ledger, document, create):
    return ledger.write(create(document()))


@pytest.fixture
def corrected(document, line):
    return document(
        version=2, lines=(line(quantity=Decimal(3), unit_price=Decimal(150), amount=Decimal(450)),)
    )


def test_an_update_restates_ours_and_keeps_what_others_wrote(ledger, books, posted, corrected):
    books.person(
        "edit",
        id=posted.ledger_id,
        changes={"ShipAddr": {"Line1": "1 Pier"}, "TrackingNum": "T-7", "EmailStatus": "NotSet"},
    )
    books.person("send", id=posted.ledger_id)  # adds DeliveryInfo, which must not be echoed
    now = ledger.read(DocumentKind.INVOICE, posted.ledger_id)
    updated = ledger.write(change(WriteKind.UPDATE, corrected, now))
    (stored,) = books.stored()
    assert updated.total == Decimal(450)
    assert int(updated.edit_token) == int(now.edit_token) + 1
    assert stored["ShipAddr"] == {"Line1": "1 Pier"}
    assert stored["TrackingNum"] == "T-7"
    assert stored["EmailStatus"] == "EmailSent"
    assert [one.get("Id") for one in stored["Line"]] == ["1", None]
    assert stored["PrivateNote"] == f"hourbridge:{corrected.document_id}"


def test_an_update_keeps_a_persons_note_beside_our_marker(ledger, books, posted, corrected):
    note = f"call first; hourbridge:{corrected.document_id}"
    books.person("edit", id=posted.ledger_id, changes={"PrivateNote": note})
    ledger.write(change(WriteKind.UPDATE, corrected, posted, edit_token=None))
    assert books.stored()[0]["PrivateNote"] == note


def test_an_update_never_overwrites_an_edit(ledger, books, posted, corrected):
    books.person("edit_line", id=posted.ledger_id, changes={"Qty": Decimal(2)})
    with pytest.raises(EditTokenStale):
        ledger.write(change(WriteKind.UPDATE, corrected, posted))
    assert books.stored()[0]["TotalAmt"] == Decimal(300)


@pytest.mark.parametrize("memory_seconds", [86_400, 0])
def test_an_update_whose_answer_was_lost_is_repeated_without_effect(
    ledger, books, posted, corrected, memory_seconds
):
    books.settings(requestid_memory_seconds=memory_seconds)
    books.fault("lose_response")
    write = change(WriteKind.UPDATE, corrected, posted)
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(write)
    again = ledger.write(write)
    assert (again.total, again.edit_token) == (Decimal(450), "1")


def test_updating_what_is_gone(ledger, books, posted, corrected):
    books.person("delete", id=posted.ledger_id)
    with pytest.raises(DocumentMissing):
        ledger.write(change(WriteKind.UPDATE, corrected, posted))


def test_a_delete_tells_what_was_there(ledger, books, posted, document):
    gone = ledger.write(change(WriteKind.DELETE, document(), posted))
    assert gone.is_deleted
    assert gone.total == Decimal("562.50")
    assert not books.stored()
    assert ledger.read(DocumentKind.INVOICE, posted.ledger_id) is None


@pytest.mark.parametrize("memory_seconds", [86_400, 0])
def test_a_delete_whose_answer_was_lost_is_repeated_without_effect(
    ledger, books, posted, document, memory_seconds
):
    books.settings(requestid_memory_seconds=memory_seconds)
    books.fault("lose_response")
    write = change(WriteKind.DELETE, document(), posted)
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(write)
    assert ledger.write(write).is_deleted


def test_a_delete_never_drops_an_edit(ledger, books, posted, document):
    books.person("edit_line", id=posted.ledger_id, changes={"Qty": Decimal(2)})
    with pytest.raises(EditTokenStale):
        ledger.write(change(WriteKind.DELETE, document(), posted))
    assert len(books.stored()) == 1


def test_a_paid_invoice_is_not_deleted(ledger, books, posted, document):
    books.person("pay", id=posted.ledger_id)
    paid = ledger.read(DocumentKind.INVOICE, posted.ledger_id)
    assert paid.open_balance == 0
    assert int(paid.edit_token) > int(posted.edit_token)
    with pytest.raises(LedgerRejected) as caught:
        ledger.write(change(WriteKind.DELETE, document(), paid))
    assert caught.value.reason_code == "6000"


def test_no_change_reaches_into_a_closed_period(ledger, books, posted, corrected):
    books.prefer("AccountingInfoPrefs", BookCloseDate="2026-02-28")
    for kind in (WriteKind.UPDATE, WriteKind.DELETE):
        with pytest.raises(PeriodClosed):
            ledger.write(change(kind, corrected, posted))


def test_a_voided_invoice_is_seen_as_void_and_still_ours(ledger, books, posted):
    books.person("void", id=posted.ledger_id)
    seen = ledger.read(DocumentKind.INVOICE, posted.ledger_id)
    assert seen.is_void
    assert seen.is_ours
    assert seen.total == 0
