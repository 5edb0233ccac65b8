"""Batches: limits, per-item outcomes, operation keys, options."""

import pytest

from hourbridge.common.exact_json import loads


def batch(client, *items, **parameters):
    answer = client.post("batch", {"BatchItemRequest": list(items)}, **parameters)
    return answer, loads(answer.content)


def create(item_id, body, kind="Invoice", **options):
    return {"bId": item_id, "operation": "create", kind: body, **options}


def test_every_item_has_an_outcome_of_its_own(client, invoice):
    answer, content = batch(
        client,
        create("1", invoice("A-1")),
        create("2", invoice("A-1")),
        create("3", invoice("A-1"), optionsData="allowduplicatedocnum"),
        create("4", {"DisplayName": "Acme"}, "Customer"),
        {"bId": "5", "Query": "select * from Customer where Id = '3'"},
        {"bId": "6", "operation": "delete", "Invoice": {"Id": "99", "SyncToken": "0"}},
    )
    assert answer.status_code == 200
    by_id = {item["bId"]: item for item in content["BatchItemResponse"]}
    assert by_id["1"]["Invoice"]["DocNumber"] == "A-1"
    assert by_id["2"]["Fault"]["Error"][0]["code"] == "6140"
    assert by_id["3"]["Invoice"]["Id"] != by_id["1"]["Invoice"]["Id"]
    assert by_id["4"]["Fault"]["Error"][0]["code"] == "6240"
    assert by_id["5"]["QueryResponse"]["Customer"][0]["DisplayName"] == "Bell"
    assert by_id["6"]["Fault"]["Error"][0]["code"] == "610"


def test_items_void_update_and_delete(client, invoice):
    made = client.post("invoice", invoice("A-1")).json()["Invoice"]
    other = client.post("invoice", invoice("A-2")).json()["Invoice"]
    token = {"Id": made["Id"], "SyncToken": "0"}
    _, content = batch(
        client,
        {"bId": "1", "operation": "update", "Invoice": token, "optionsData": "void"},
        {"bId": "2", "operation": "delete", "Invoice": {"Id": other["Id"], "SyncToken": "0"}},
        {
            "bId": "3",
            "operation": "update",
            "Customer": {"Id": "3", "SyncToken": "0", "sparse": True, "Notes": "x"},
        },
    )
    first, second, third = content["BatchItemResponse"]
    assert first["Invoice"]["TotalAmt"] == 0
    assert second["Invoice"]["status"] == "Deleted"
    assert third["Customer"]["Notes"] == "x"


def test_thirty_items_at_most(client, invoice):
    items = [create(str(n), invoice(f"A-{n}")) for n in range(31)]
    answer, content = batch(client, *items)
    assert (answer.status_code, content["Fault"]["Error"][0]["code"]) == (400, "1040")
    assert client.query("select count(*) from Invoice")["totalCount"] == 0


def test_both_ids_together_are_the_operation_key(client, invoice):
    items = [create("a", invoice("A-1")), create("b", invoice("A-2"))]
    _, first = batch(client, *items, requestid="r-1")
    client.control("DELETE", "/requestids")
    _, forgotten = batch(client, *items, requestid="r-1")
    assert forgotten["BatchItemResponse"][0]["Fault"]["Error"][0]["code"] == "6140"
    _, second = batch(client, create("c", invoice("A-3")), requestid="r-2")
    _, again = batch(client, create("c", invoice("A-3")), requestid="r-2")
    assert again["BatchItemResponse"] == second["BatchItemResponse"]
    assert client.query("select count(*) from Invoice")["totalCount"] == 3


def test_a_lost_answer_is_made_good_item_by_item(client, invoice):
    client.control("POST", "/refusals", {"code": "10000", "on": "batch_items", "resource": "bill"})
    items = [create("a", invoice("A-1")), create("b", {}, "Bill"), create("c", invoice("A-2"))]
    _, content = batch(client, *items, requestid="r-1")
    codes = [
        item.get("Fault", {}).get("Error", [{}])[0].get("code")
        for item in content["BatchItemResponse"]
    ]
    assert codes == [None, "10000", None]
    assert client.control("GET", "/refusals") == []


@pytest.mark.parametrize(
    ("items", "parameters", "code"),
    [
        ([], {}, "1000"),
        ([{"operation": "create", "Invoice": {}}], {}, "1000"),
        ([{"bId": "1", "Query": "select 1"}], {"requestid": "x" * 37}, "2050"),
    ],
)
def test_what_a_batch_refuses_as_a_whole(client, items, parameters, code):
    answer, content = batch(client, *items, **parameters)
    assert answer.status_code == 400
    assert content["Fault"]["Error"][0]["code"] == code


@pytest.mark.parametrize(
    ("item", "parameters", "code"),
    [
        ({"bId": "x" * 11, "Query": "select * from Term"}, {"requestid": "r"}, "2050"),
        ({"bId": "1", "operation": "merge", "Customer": {}}, {}, "500"),
        ({"bId": "1", "operation": "create", "Spaceship": {}}, {}, "500"),
        ({"bId": "1", "operation": "update", "Customer": {"DisplayName": "X"}}, {}, "1000"),
        ({"bId": "1", "operation": "create", "Customer": []}, {}, "1000"),
        ({"bId": "1", "Query": "select"}, {}, "4000"),
    ],
)
def test_what_a_batch_refuses_of_an_item(client, item, parameters, code):
    answer, content = batch(client, item, **parameters)
    assert answer.status_code == 200
    (outcome,) = content["BatchItemResponse"]
    assert outcome["Fault"]["Error"][0]["code"] == code
