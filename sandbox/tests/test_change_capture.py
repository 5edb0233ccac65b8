"""Change data capture, webhooks, merges: what tells others that something changed."""

from datetime import UTC, datetime, timedelta

import pytest

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online.webhook_queue import RETRY_SECONDS, signature


def since(**ago):
    return (datetime.now(UTC) - timedelta(**ago)).isoformat(timespec="seconds")


def capture(client, entities, at):
    answer = client.get("cdc", entities=entities, changedSince=at)
    content = loads(answer.content)
    return content["CDCResponse"][0]["QueryResponse"] if answer.is_success else content


def test_live_objects_come_first_then_tombstones_in_the_order_asked_for(client, invoice):
    gone = client.post("invoice", invoice("A-1")).json()["Invoice"]
    client.post("invoice", invoice("A-2"))
    client.post("invoice", {"Id": gone["Id"], "SyncToken": "0"}, operation="delete")
    invoices, bills, customers = capture(client, "Invoice,Bill,Customer", since(hours=1))
    assert [row.get("DocNumber") for row in invoices["Invoice"]] == ["A-2", None]
    tombstone = invoices["Invoice"][1]
    assert set(tombstone) == {"domain", "status", "Id", "MetaData"}
    assert (tombstone["Id"], tombstone["status"]) == (gone["Id"], "Deleted")
    assert bills == {}
    assert customers["maxResults"] == 3 and "totalCount" not in customers


def test_nothing_older_than_asked_for(client):
    assert capture(client, "Customer", since(hours=-1)) == [{}]


def test_a_thousand_objects_at_most_and_a_total_that_tells(client):
    for number in range(1001):
        body = {"action": "add", "changes": {"DisplayName": f"C{number}"}}
        client.control("POST", "/companies/123/people/customer", body)
    (customers, vendors) = capture(client, "Customer,Vendor", since(hours=1))
    assert len(customers["Customer"]) == customers["maxResults"] == 1000
    assert customers["totalCount"] == 1004
    assert vendors == {"Vendor": [], "startPosition": 1, "maxResults": 0, "totalCount": 2}


@pytest.mark.parametrize(
    ("entities", "at", "code"),
    [
        ("Customer", since(days=31), "4001"),
        ("Customer", "yesterday", "4001"),
        ("TaxCode", since(hours=1), "500"),
        ("Spaceship", since(hours=1), "500"),
        ("", since(hours=1), "2020"),
    ],
)
def test_what_capture_refuses(client, entities, at, code):
    assert capture(client, entities, at)["Fault"]["Error"][0]["code"] == code


def test_time_activities_are_not_captured(client):
    body = {"NameOf": "Vendor", "VendorRef": {"value": "1"}, "Hours": 1, "Minutes": 0}
    assert client.post("timeactivity", body).is_success
    assert capture(client, "TimeActivity", since(hours=1)) == [{}]


def test_a_merge_hands_everything_to_the_survivor(client, invoice):
    client.post("invoice", invoice("A-1"))
    merge = {"action": "merge", "id": "1", "into": "3"}
    client.control("POST", "/companies/123/people/customer", merge)
    assert client.get("customer/1").json()["Fault"]["Error"][0]["code"] == "610"
    (found,) = client.query("select * from Invoice")["Invoice"]
    assert found["CustomerRef"] == {"value": "3", "name": "Bell"}
    roof = client.get("customer/2").json()["Customer"]
    assert roof["ParentRef"]["value"] == "3"
    refused = client.post("invoice", invoice("A-2"))
    assert refused.json()["Fault"]["Error"][0]["code"] == "2500"
    (customers,) = capture(client, "Customer", since(hours=1))
    assert "Deleted" in [row.get("status") for row in customers["Customer"]]


def test_webhooks_wait_for_the_acknowledgement_of_the_first(client, server):
    place = {"url": "http://127.0.0.1:9/", "verifier_token": "v", "events_max": 1}
    assert client.control("PUT", "/webhooks", place)["waiting"] == 0
    for name in ("One", "Two"):
        body = {"action": "add", "changes": {"DisplayName": name}}
        client.control("POST", "/companies/123/people/customer", body)
    queue = server.world.webhooks
    for seconds in (*RETRY_SECONDS, RETRY_SECONDS[-1]):
        with server.world.lock:
            (delivery,) = queue.next_delivery()
            assert loads(delivery.body)[0]["intuitentityid"] == "4"
            assert delivery.headers["intuit-signature"] == signature("v", delivery.body)
            queue.settle(acknowledged=False)
            assert queue.next_delivery() == []
            server.world.clock.offset_seconds += seconds + 1
    with server.world.lock:
        queue.next_delivery()
        queue.settle(acknowledged=True)
        (delivery,) = queue.next_delivery()
    assert loads(delivery.body)[0]["intuitentityid"] == "5"
    state = client.control("GET", "/webhooks")
    assert (state["delivered"], state["failed"], state["waiting"]) == (1, 9, 1)
    assert "verifier_token" not in state["subscription"]


def test_webhooks_shuffle_and_repeat_on_demand(client, server):
    options = {"url": "http://127.0.0.1:9/", "shuffled": True, "duplicate_rate": 1}
    client.control("PUT", "/webhooks", {**options, "format": "legacy"})
    for number in range(20):
        body = {"action": "add", "changes": {"DisplayName": f"C{number}"}}
        client.control("POST", "/companies/123/people/customer", body)
    with server.world.lock:
        first, second = server.world.webhooks.next_delivery()
    assert first == second
    (notification,) = loads(first.body)["eventNotifications"]
    ids = [int(entity["id"]) for entity in notification["dataChangeEvent"]["entities"]]
    assert sorted(ids) == list(range(4, 24)) != ids


def test_nothing_is_told_of_taxes_and_files(client, server):
    client.control("PUT", "/webhooks", {"url": "http://127.0.0.1:9/"})
    client.control("PUT", "/companies/123/preferences", {"AccountingInfoPrefs": {}})
    client.post("taxagency", {"DisplayName": "State"})
    rate = {"TaxRateName": "S", "RateValue": "8", "TaxAgencyId": "1", "TaxApplicableOn": "Sales"}
    assert client.post("taxservice/taxcode", {"TaxCode": "S", "TaxRateDetails": [rate]}).is_success
    with server.world.lock:
        (delivery,) = server.world.webhooks.next_delivery()
    assert [event["type"] for event in loads(delivery.body)] == [
        "qbo.preferences.updated.v1",
        "qbo.taxagency.created.v1",
    ]
