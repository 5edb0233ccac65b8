"""Posting: once in effect, whatever the ledger, the network or the process does."""

from __future__ import annotations

import contextlib
import threading
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common import faults
from hourbridge.common.errors import DocumentMissing, TransientFailure
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.connectors.ledger import LedgerDocument, LedgerWrite, WriteKind
from hourbridge.poster import fault_points
from hourbridge.poster.decisions import Decision
from tests.support.charges import LEDGER, hours, make_charge
from tests.support.faulty_ledger import (
    Lost,
    MemoryLedger,
    disconnected,
    rejected,
    throttled,
    unavailable,
)
from tests.support.posting import Poster, other_ledger

LANE_FAULTS = [
    fault_points.OPERATION_TAKEN,
    fault_points.LEDGER_WRITTEN,
    fault_points.OUTCOME_STORED,
    fault_points.OUTCOME_COMMITTED,
]


def bill_one(poster: Poster, charge_id: str = "a", **changes: object) -> None:
    poster.charge(make_charge(charge_id, hours("5"), **changes))
    poster.bill()


def invoices(poster: Poster) -> int:
    return len(poster.ledger.of_kind(DocumentKind.INVOICE))


def operation(poster: Poster) -> object:
    (row,) = poster.rows("SELECT * FROM ledger_operation ORDER BY id DESC LIMIT 1")
    return row


def test_a_posted_document_knows_its_place_in_the_ledger(poster: Poster) -> None:
    bill_one(poster)
    assert poster.post() == 1
    document = poster.document()
    assert document.status is DocumentStatus.POSTED
    assert document.posted is not None
    assert (document.posted.ledger_id, document.posted.edit_token) == ("1", "0")
    assert (document.posted.total, document.posted.posted_at) == (
        Decimal("750.00"),
        poster.clock.now(),
    )
    assert poster.post() == 0
    (write,) = poster.ledger.writes
    assert (write.kind, len(write.operation_key)) == (WriteKind.CREATE, 32)
    audit = poster.rows("SELECT * FROM audit WHERE action = 'ledger.create'")
    assert [row.detail["outcome"] for row in audit] == ["posted"]


def test_documents_are_posted_in_the_order_of_billing(poster: Poster) -> None:
    poster.charge(*(make_charge(c, client=c) for c in ("x", "y", "z")))
    poster.bill()
    poster.post()
    assert [write.document.number for write in poster.ledger.writes] == ["HB-1", "HB-2", "HB-3"]


@pytest.mark.parametrize("remembers_keys", [True, False])
@pytest.mark.parametrize("took_effect", [True, False])
def test_a_lost_answer(poster: Poster, took_effect: bool, remembers_keys: bool) -> None:
    """The create times out; the ledger did, or did not, take it: one invoice either way."""
    poster.ledger.remembers_keys = remembers_keys
    poster.ledger.faults = [Lost(took_effect)]
    bill_one(poster)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTING
    assert poster.post() == 0, "a write on its way is left to settle"
    poster.clock.step(seconds=10)
    assert poster.post() == 1
    assert poster.document().status is DocumentStatus.POSTED
    assert invoices(poster) == 1
    assert poster.ledger.finds == 1
    assert len(poster.ledger.writes) == (1 if took_effect else 2)
    assert len({write.operation_key for write in poster.ledger.writes}) == 1


@pytest.mark.parametrize("remembers_keys", [True, False])
@pytest.mark.parametrize("took_effect", [True, False])
def test_an_unknown_outcome_older_than_the_ledgers_memory(
    poster: Poster, took_effect: bool, remembers_keys: bool
) -> None:
    poster.ledger.remembers_keys = remembers_keys
    poster.ledger.faults = [Lost(took_effect), Lost(took_effect)]
    bill_one(poster)
    poster.post()
    poster.clock.step(days=3)
    poster.post()
    poster.clock.step(days=3)
    poster.post()
    assert (invoices(poster), poster.document().status) == (1, DocumentStatus.POSTED)


@pytest.mark.parametrize("remembers_keys", [True, False])
@pytest.mark.parametrize("point", LANE_FAULTS)
def test_a_crash_at_every_step_of_the_lane(store: Store, point: str, remembers_keys: bool) -> None:
    """The process dies; another takes the lane over: the same invoice, once."""
    poster = Poster(store, MemoryLedger(remembers_keys=remembers_keys))
    poster.configure()
    bill_one(poster)
    faults.arm(f"{point}=raise")
    with contextlib.suppress(TransientFailure):
        poster.parts.dispatcher.run_due()
    faults.arm("")
    poster.clock.step(seconds=60)
    poster.process().dispatcher.run_due()
    assert invoices(poster) == 1
    assert poster.document().status is DocumentStatus.POSTED
    assert [d.status for d in poster.flush()] == ["posting", "posted"]


def test_two_processes_never_work_one_ledger_at_a_time(poster: Poster) -> None:
    bill_one(poster)
    lease = Leases(poster.store, "another process").acquire(
        f"lane:quickbooks_online:{LEDGER.connection}:{LEDGER.company_id}", ttl_seconds=60
    )
    assert lease is not None
    assert poster.post() == 0
    Leases(poster.store, "another process").release(lease)
    assert poster.post() == 1


def test_a_holder_that_wakes_up_late_stores_nothing(poster: Poster) -> None:
    """Another holder took the lane over during the call: the fence keeps the late outcome out."""
    bill_one(poster)
    original = poster.ledger.write

    def slow(write: LedgerWrite) -> LedgerDocument:
        written = original(write)
        with poster.store.transaction() as connection:
            connection.exec_driver_sql("UPDATE lease SET holder = 'other', fencing = fencing + 1")
        return written

    poster.ledger.write = slow  # type: ignore[method-assign]
    with pytest.raises(Exception, match="lease_lost"):
        poster.post()
    poster.ledger.write = original  # type: ignore[method-assign]
    assert poster.document().status is DocumentStatus.POSTING
    with poster.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE lease SET expires_at = now()")
    poster.clock.step(seconds=60)
    poster.post()
    assert (invoices(poster), poster.document().status) == (1, DocumentStatus.POSTED)


def test_a_throttled_lane_waits_as_asked(poster: Poster) -> None:
    poster.charge(make_charge("x", client="x"), make_charge("y", client="y"))
    poster.bill()
    poster.ledger.faults = [throttled(60)]
    assert poster.post() == 1
    poster.clock.step(seconds=59)
    assert poster.post() == 0
    poster.clock.step(seconds=2)
    assert poster.post() == 2
    assert operation(poster).attempts == 1  # type: ignore[attr-defined]


def test_an_unavailable_ledger_is_probed_with_one_call_and_growing_pauses(poster: Poster) -> None:
    poster.charge(*(make_charge(c, client=c) for c in ("x", "y", "z")))
    poster.bill()
    poster.ledger.faults = [unavailable()]
    poster.ledger.usable_again = ["still down"]
    assert poster.post() == 1
    pauses = []
    for _ in range(4):
        (lane,) = poster.rows("SELECT * FROM lane")
        pauses.append((lane.available_at - poster.clock.now()).total_seconds())
        poster.clock.instant = lane.available_at
        assert poster.post() == 0, "a probe sends no document"
    assert pauses == [2, 4, 8, 16]
    assert len(poster.ledger.writes) == 1
    poster.ledger.usable_again = []
    poster.clock.step(minutes=10)
    assert poster.post() == 3
    assert poster.rows("SELECT * FROM lane") == []


def test_a_disconnected_ledger_parks_its_lane_and_goes_on_when_connected(poster: Poster) -> None:
    bill_one(poster)
    poster.ledger.faults = [disconnected()]
    poster.post()
    (lane,) = poster.parts.status.lanes()
    assert (lane["state"], lane["code"]) == ("parked", "ledger_authorization_expired")
    assert poster.document().status is DocumentStatus.POSTING
    poster.clock.step(minutes=10)
    assert poster.post() == 1
    assert poster.document().status is DocumentStatus.POSTED


def test_a_broken_ledger_does_not_delay_another(poster: Poster) -> None:
    healthy = MemoryLedger()
    poster.ledgers["quickbooks_online:c2:2"] = healthy
    poster.ledger.faults = [unavailable()]
    bill_one(poster)
    bill_one(poster, "b", ledger=other_ledger("2"))
    poster.post()
    assert (invoices(poster), len(healthy.held)) == (0, 1)


def test_a_ledger_that_cannot_be_opened_parks_its_lane(poster: Poster) -> None:
    bill_one(poster)
    poster.ledgers = None  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        poster.post()
    poster.ledgers = {}

    def refuse(_binding: object) -> MemoryLedger:
        raise disconnected()

    poster.parts.dispatcher._ledgers._open_ledger = refuse  # type: ignore[assignment]  # noqa: SLF001
    assert poster.post() == 0
    assert [lane["state"] for lane in poster.parts.status.lanes()] == ["parked"]


def test_a_refused_document_is_parked_and_the_next_goes_on(poster: Poster) -> None:
    poster.charge(make_charge("x", client="x"), make_charge("y", client="y"))
    poster.bill()
    poster.ledger.faults = [rejected("6240")]
    assert poster.post() == 2
    first, second = poster.documents()
    assert (first.status, second.status) == (DocumentStatus.PARKED, DocumentStatus.POSTED)
    assert first.reason is not None
    assert (first.reason.code, first.reason.waits_for) == ("6240", "release:HB-1")
    poster.clock.step(days=1)
    assert poster.post() == 0, "nothing retries what is parked"


def test_a_number_taken_by_somebody_else_parks(poster: Poster) -> None:
    bill_one(poster)
    poster.post()
    poster.ledger.edit("1", number="HB-2")
    bill_one(poster, "b")
    poster.post()
    document = poster.documents()[-1]
    assert document.reason is not None
    assert (document.status, document.reason.code) == ("parked", "document_number_taken")
    assert invoices(poster) == 1


def test_a_number_taken_by_ourselves_is_adopted(poster: Poster) -> None:
    """A create that the ledger took, unknown to us, with its memory of keys lost."""
    bill_one(poster)
    poster.ledger.remembers_keys = False
    poster.post()
    with poster.store.transaction() as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_operation SET state = 'pending', uncertain = false, done_at = NULL"
        )
        connection.exec_driver_sql("UPDATE document SET status = 'posting'")
    poster.post()
    assert (invoices(poster), poster.document().status) == (1, DocumentStatus.POSTED)


def test_another_total_in_the_ledger_is_noted(poster: Poster) -> None:
    poster.ledger.total_off = Decimal("0.01")
    bill_one(poster)
    poster.post()
    document = poster.document()
    assert document.status is DocumentStatus.POSTED
    assert document.reason is not None
    assert document.reason.code == "ledger_total_differs"


def test_late_work_for_a_closed_month(poster: Poster) -> None:
    """Refused without a call, with a proposed date; posted with it once approved."""
    poster.ledger.closed = date(2026, 1, 31)
    bill_one(poster, work_date=date(2026, 1, 15))
    poster.post()
    document = poster.document()
    assert document.reason is not None
    assert (document.status, document.reason.code) == ("parked", "period_closed")
    assert document.reason.waits_for == "approval:2026-02-01"
    assert poster.ledger.writes == []


def test_a_period_closed_since_we_looked_parks_as_well(poster: Poster) -> None:
    bill_one(poster)
    poster.post()
    bill_one(poster, "b")
    poster.ledger.closed = date(2026, 3, 31)  # the lane remembers that nothing was closed
    poster.post()
    document = poster.documents()[-1]
    assert document.reason is not None
    assert (document.reason.code, document.reason.waits_for) == (
        "period_closed",
        "approval:2026-04-01",
    )


def test_an_outcome_that_stays_unknown_is_parked_and_never_sent_blindly(poster: Poster) -> None:
    bill_one(poster)
    poster.ledger.faults = [Lost(took_effect=False)] * 12
    for _ in range(14):
        poster.post()
        poster.clock.step(minutes=10)
    document = poster.document()
    assert document.status is DocumentStatus.PARKED
    assert operation(poster).uncertain  # type: ignore[attr-defined]
    assert len(poster.ledger.writes) == 12


def test_stopping_lets_the_operation_in_hand_end(poster: Poster) -> None:
    bill_one(poster)
    sending = threading.Event()
    original = poster.ledger.write

    def write(write: LedgerWrite) -> LedgerDocument:
        sending.set()
        return original(write)

    poster.ledger.write = write  # type: ignore[method-assign]
    poster.parts.dispatcher.tick()
    assert sending.wait(30)
    poster.parts.dispatcher.tick()
    poster.parts.dispatcher.stop()
    assert poster.document().status is DocumentStatus.POSTED
    poster.parts.dispatcher.tick()
    assert invoices(poster) == 1


def test_what_the_ledger_remembers_but_has_lost_gets_a_new_key(poster: Poster) -> None:
    """Its memory would answer the old key for ever with an object that somebody deleted."""
    poster.ledger.faults = [DocumentMissing("deleted since", reason_code="replayed")]
    bill_one(poster)
    poster.post()
    poster.parts.decisions.release(poster.document().document_id, Decision("ann"))
    poster.post()
    first, second = poster.ledger.writes
    assert first.operation_key != second.operation_key
    assert poster.document().status is DocumentStatus.POSTED
