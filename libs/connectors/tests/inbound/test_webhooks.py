"""Webhooks: both formats from the stand-in over HTTP; signatures; what can't be understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hourbridge.common.errors import WebhookRefused
from hourbridge.connectors.quickbooks_online.inbound.webhooks import QuickBooksOnlineReceiver
from hourbridge.sandbox.quickbooks_online.webhook_sender import deliver

TOKEN = "verifier-0123"
REALM = "4620816365000000001"


@pytest.fixture
def receiver():
    return QuickBooksOnlineReceiver(SecretStr(TOKEN))


def signed(body, token=TOKEN):
    digest = hmac.new(token.encode(), body, hashlib.sha256).digest()
    return {"intuit-signature": base64.b64encode(digest).decode()}


def receive(receiver, content):
    body = json.dumps(content).encode()
    return receiver.receive(signed(body), body).events


def cloudevent(**changes):
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "intuit.x",
        "type": "qbo.invoice.updated.v1",
        "time": "2026-11-10T21:31:25.179851517Z",
        "intuitentityid": "733",
        "intuitaccountid": REALM,
        "data": {},
    } | changes


def legacy(**changes):
    entity = {
        "name": "Customer",
        "id": "71",
        "operation": "Update",
        "lastUpdated": "2026-01-05T14:42:19-0700",
    } | changes
    return {"eventNotifications": [{"realmId": REALM, "dataChangeEvent": {"entities": [entity]}}]}


class Inbox:
    """An endpoint that keeps what it gets and answers as it is told."""

    def __init__(self):
        self.got, self.answers = [], []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                inbox.got.append((headers, body))
                self.send_response(inbox.answers.pop(0) if inbox.answers else 200)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def inbox():
    inbox = Inbox()
    yield inbox
    inbox.server.shutdown()


@pytest.fixture
def subscribe(sandbox, refresh_token, inbox):
    def it(**options):
        with sandbox.world.lock:
            values = {"url": inbox.url, "verifier_token": TOKEN, **options}
            sandbox.world.webhooks.subscribe(values)

    return it


@pytest.mark.database
@pytest.mark.parametrize("format_name", ["cloudevents", "legacy"])
def test_what_the_service_sends_is_understood(
    format_name, subscribe, books, sandbox, inbox, receiver
):
    subscribe(format=format_name)
    books.person("add", "customer", changes={"DisplayName": "New"})
    books.person("edit", "vendor", id="1", changes={"CompanyName": "B"})
    books.person("merge", "vendor", id="2", into="1")
    assert deliver(sandbox.world) == {"delivered": 1, "failed": 0}
    (headers, body), *_ = inbox.got
    events = receiver.receive(headers, body).events
    assert {event.account for event in events} == {REALM}
    hints = [(e.hint.feed, e.hint.entity, e.hint.what) for e in events if e.hint]
    assert ("customer", "Customer", "created") in hints
    assert ("vendor", "Vendor", "updated") in hints
    assert ("vendor", "Vendor", "merged") in hints
    (merged,) = [event.statement for event in events if event.statement]
    assert merged.record.external_id == "vendor:2"
    assert merged.record.merged_into == "1"
    assert merged.record.deleted is not None
    assert len({event.event_id for event in events}) == len(events)


@pytest.mark.database
def test_a_merge_outweighs_the_tombstone_of_the_same_moment(
    subscribe, books, sandbox, inbox, receiver, connections
):
    from hourbridge.connectors.quickbooks_online.inbound.list_entries import gone_entry
    from hourbridge.connectors.quickbooks_online.inbound.telling import key_of

    subscribe()
    books.person("merge", "vendor", id="2", into="1")
    deliver(sandbox.world)
    events = receiver.receive(*inbox.got[0]).events
    (merged,) = [event.statement for event in events if event.statement]
    with sandbox.world.lock:
        at = sandbox.world.companies[REALM].tombstones["Vendor"]["2"]
    row = {"Id": "2", "MetaData": {"LastUpdatedTime": at}}
    assert merged.order_key > key_of(row, is_last=True)
    assert gone_entry("vendor", row).merged_into is None


@pytest.mark.database
def test_an_unacknowledged_delivery_comes_again_and_later_ones_wait(
    subscribe, books, sandbox, inbox, receiver
):
    subscribe(events_max=1)
    inbox.answers = [500, 500]
    books.person("add", "customer", changes={"DisplayName": "First"})
    books.person("add", "customer", changes={"DisplayName": "Second"})
    assert deliver(sandbox.world) == {"delivered": 0, "failed": 1}
    assert deliver(sandbox.world, at_once=False) == {"delivered": 0, "failed": 0}  # 10 s to wait
    books.advance(11)
    deliver(sandbox.world, at_once=False)
    books.advance(21)
    assert deliver(sandbox.world, at_once=False) == {"delivered": 2, "failed": 0}
    bodies = [receiver.receive(*got).events[0].event_id for got in inbox.got]
    assert len(bodies) == 4 and len(set(bodies)) == 2
    assert bodies[0] == bodies[1] == bodies[2] != bodies[3]


@pytest.mark.database
def test_duplicates_have_equal_ids(subscribe, books, sandbox, inbox, receiver):
    subscribe(duplicate_rate=1, format="legacy")
    books.person("add", "customer", changes={"DisplayName": "Twice"})
    deliver(sandbox.world)
    first, second = (receiver.receive(*got).events for got in inbox.got)
    assert first == second


@pytest.mark.database
def test_a_wrong_key_is_noticed(subscribe, books, sandbox, inbox, receiver):
    subscribe(wrong_signature=True)
    books.person("add", "customer", changes={"DisplayName": "X"})
    deliver(sandbox.world)
    with pytest.raises(WebhookRefused):
        receiver.receive(*inbox.got[0])


@pytest.mark.parametrize(
    "headers",
    [{}, {"intuit-signature": ""}, {"intuit-signature": "AAAA"}, {"intuit-signature": "ünsinn"}],
)
def test_nothing_is_parsed_without_a_signature(receiver, headers):
    with pytest.raises(WebhookRefused):
        receiver.receive(headers, b"[" * 100_000)


def test_the_raw_bytes_count(receiver):
    body = json.dumps([cloudevent()]).encode()
    receiver.receive(signed(body), body)
    with pytest.raises(WebhookRefused):
        receiver.receive(signed(body), body.replace(b" ", b""))


def test_nanoseconds_and_offsets_without_colon(receiver):
    data = {"deletedid": "40"}
    (_, merged) = receive(receiver, [cloudevent(type="qbo.vendor.merged.v1", data=data)])
    exact = datetime(2026, 11, 10, 21, 31, 25, 179851, UTC)
    assert merged.statement.record.updated_at == exact
    (_, merged) = receive(receiver, legacy(name="Vendor", operation="Merge", deletedId="40"))
    assert merged.statement.record.updated_at == datetime(2026, 1, 5, 21, 42, 19, tzinfo=UTC)


def test_one_delivery_may_mix_companies(receiver):
    events = receive(receiver, [cloudevent(), cloudevent(id="e-2", intuitaccountid="2" * 25)])
    assert [event.account for event in events] == [REALM, "2" * 25]


def test_a_payment_wakes_two_feeds(receiver):
    events = receive(receiver, [cloudevent(type="QBO.Payment.Voided.v1")])
    assert [(e.hint.feed, e.hint.what) for e in events] == [
        ("changes", "voided"),
        ("payment", "voided"),
    ]
    assert len({event.event_id for event in events}) == 2


def test_deleted_time_is_stated_because_nothing_else_shows_it(receiver):
    *hints, stated = receive(receiver, [cloudevent(type="qbo.timeactivity.deleted.v1")])
    assert [each.hint.feed for each in hints] == ["changes", "time_activity"]
    record = stated.statement.record
    assert record.external_id == "transaction:TimeActivity:733" and record.deleted is not None


def test_known_entities_that_concern_nobody_are_acknowledged(receiver):
    (event,) = receive(receiver, [cloudevent(type="qbo.estimate.emailed.v1")])
    assert event.hint is None and event.statement is None


@pytest.mark.parametrize(
    "content",
    [
        [cloudevent(type="qbo.spaceship.landed.v1")],
        [cloudevent(type="com.example.other")],
        [cloudevent(intuitaccountid=None)],
        ["text"],
        {"hello": 1},
        "text",
        {"eventNotifications": [{}]},
        {"eventNotifications": [{"realmId": "1", "dataChangeEvent": {"entities": ["x"]}}]},
        legacy(name="Spaceship"),
    ],
)
def test_what_is_not_understood_is_kept_with_a_reason(receiver, content):
    (event,) = receive(receiver, content)
    assert event.statement.record is None
    assert event.statement.reasons[0].code == "not_understood"
    assert event.statement.raw


def test_no_json_at_all_is_kept_too(receiver):
    (event,) = receiver.receive(signed(b"\xff{"), b"\xff{").events
    assert event.statement.raw == b"\xff{"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PARTS = st.sampled_from(["type", "intuitaccountid", "intuitentityid", "data", "time", "id"])


@given(st.lists(st.dictionaries(PARTS, JSON).map(lambda d: cloudevent() | d) | JSON, max_size=4))
def test_whatever_is_signed_is_never_refused(content):
    receiver = QuickBooksOnlineReceiver(SecretStr(TOKEN))
    events = receive(receiver, content)
    assert bool(events) == bool(content)
    assert all(event.event_id for event in events)


@given(JSON, JSON)
def test_the_former_format_neither(notification, entity):
    receiver = QuickBooksOnlineReceiver(SecretStr(TOKEN))
    body = {
        "eventNotifications": [
            notification,
            {"realmId": REALM, "dataChangeEvent": {"entities": [entity]}},
        ]
    }
    assert len(receive(receiver, body)) >= 1
