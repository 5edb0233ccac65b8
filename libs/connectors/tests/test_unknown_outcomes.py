"""Lost and broken answers are told as what they are, and no write happens twice."""

import contextlib

import pytest

from hourbridge.common.errors import (
    DocumentMissing,
    LedgerOutcomeUnknown,
    LedgerThrottled,
    LedgerUnavailable,
)

pytestmark = pytest.mark.database

AFTER_COMMIT = ["lose_response", "error_after_commit", "truncated"]
BEFORE_COMMIT = ["lose_request", "server_error", "html_page"]


@pytest.mark.parametrize("fault", AFTER_COMMIT)
def test_a_lost_success_is_repeated_into_the_same_invoice(ledger, books, document, create, fault):
    books.fault(fault)
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(create(document()))
    again = ledger.write(create(document(), is_repeat=True))
    assert books.creates() == [again.ledger_id]
    assert [call["outcome"] for call in books.calls() if call["request_id"]] == [
        "executed",
        "replayed",
    ]


@pytest.mark.parametrize("fault", AFTER_COMMIT)
def test_without_request_memory_the_number_keeps_it_one_invoice(
    ledger, books, document, create, fault
):
    books.settings(requestid_memory_seconds=0)
    books.fault(fault)
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(create(document()))
    again = ledger.write(create(document(), is_repeat=True))
    assert books.creates() == [again.ledger_id]
    assert again.is_ours


def test_an_expired_memory_is_the_same_as_none(ledger, books, document, create):
    books.settings(requestid_memory_seconds=60)
    books.fault("lose_response")
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(create(document()))
    books.advance(61)
    ledger.write(create(document(), is_repeat=True))
    assert len(books.creates()) == 1


@pytest.mark.parametrize("fault", BEFORE_COMMIT)
def test_a_write_that_failed_on_the_way_is_unknown_too_and_then_done_once(
    ledger, books, document, create, fault
):
    books.fault(fault)
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(create(document()))
    assert ledger.find(document()) is None
    posted = ledger.write(create(document(), is_repeat=True))
    assert books.creates() == [posted.ledger_id]


def test_find_sees_the_invoice_whose_answer_was_lost(ledger, books, document, create):
    books.fault("lose_response")
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(create(document()))
    found = ledger.find(document())
    assert found is not None
    assert found.is_ours
    assert [found.ledger_id] == books.creates()


def test_find_sees_it_also_under_a_number_that_somebody_changed(ledger, books, document, create):
    posted = ledger.write(create(document()))
    books.person("edit", number="HB-1", changes={"DocNumber": "X-9"})
    found = ledger.find(document())
    assert found is not None
    assert (found.ledger_id, found.number, found.is_ours) == (posted.ledger_id, "X-9", True)


def test_a_remembered_success_of_a_deleted_invoice_is_no_success(ledger, books, document, create):
    books.fault("lose_response")
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(create(document()))
    books.person("delete", number="HB-1")
    with pytest.raises(DocumentMissing):
        ledger.write(create(document(), is_repeat=True))
    recreated = ledger.write(create(document(generation=2), "key-1:g2"))
    assert len(books.stored()) == 1
    assert books.creates()[-1] == recreated.ledger_id


def test_a_slow_answer_is_an_unknown_outcome(connections, books, document, create):
    from hourbridge.connectors.opening import open_ledger

    ledger = open_ledger(document().ledger, connections, timeout_seconds=0.3)
    with contextlib.closing(ledger):
        ledger.check()
        books.fault("slow_after_commit", seconds=3)
        with pytest.raises(LedgerOutcomeUnknown):
            ledger.write(create(document()))
        ledger.write(create(document(), is_repeat=True))
    assert len(books.creates()) == 1


def test_a_failed_read_is_merely_unavailable(ledger, books, document):
    ledger.check()
    for fault in (*BEFORE_COMMIT, *AFTER_COMMIT):
        books.fault(fault, on="reads")
        with pytest.raises(LedgerUnavailable):
            ledger.find(document())


def test_a_server_that_is_not_there_certainly_did_nothing(ledger, sandbox, document, create):
    ledger.check()
    ledger.resolve("customer", document().customer)
    ledger.resolve("item", document().lines[0].item)
    sandbox.stop()
    with pytest.raises((LedgerUnavailable, LedgerOutcomeUnknown)):
        ledger.write(create(document()))  # the pooled connection was still open
    with pytest.raises(LedgerUnavailable):
        ledger.write(create(document()))


def test_throttling_asks_for_a_minute_and_all_replicas_keep_it(
    ledger, connections, books, document, create
):
    from hourbridge.connectors.opening import open_ledger

    ledger.check()
    ledger.resolve("customer", document().customer)
    ledger.resolve("item", document().lines[0].item)
    books.fault("throttle")
    with pytest.raises(LedgerThrottled) as caught:
        ledger.write(create(document()))
    assert caught.value.retry_after_seconds == 60
    calls = len(books.calls())
    with contextlib.closing(open_ledger(document().ledger, connections)) as other:
        with pytest.raises(LedgerThrottled) as caught:
            other.read(document().kind, "1")
    assert 0 < caught.value.retry_after_seconds <= 60
    assert [call["path"] for call in books.calls()[calls:]] == []


def test_throttling_honours_a_named_time(ledger, books, document):
    ledger.check()
    books.fault("throttle", on="reads", retry_after_seconds=7)
    with pytest.raises(LedgerThrottled) as caught:
        ledger.find(document())
    assert caught.value.retry_after_seconds == 7
