"""The query language over HTTP."""

import pytest


@pytest.fixture
def numbers(client, invoice):
    for n in range(1, 8):
        client.post(
            "invoice", invoice(f"A-{n}", TxnDate=f"2026-01-0{n}", CustomerRef={"value": "1"})
        )

    def ask(rest):
        found = client.query(f"select * from Invoice {rest}").get("Invoice", [])
        return [int(one["DocNumber"][2:]) for one in found]

    return ask


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7]),
        ("WHERE DocNumber = 'A-3'", [3]),
        ("where docnumber = 'a-3'", [3]),
        ("WHERE TxnDate >= '2026-01-05' AND TxnDate < '2026-01-07'", [5, 6]),
        ("WHERE TxnDate > '2026-01-05' AND TxnDate <= '2026-01-07'", [6, 7]),
        ("WHERE Id IN ('2', '4', '99')", [2, 4]),
        ("WHERE DocNumber LIKE '%-7'", [7]),
        ("WHERE DocNumber LIKE 'A-%' AND Id = '1'", [1]),
        ("WHERE Balance > '299.99' AND TotalAmt = '300.00' AND Id IN ('1')", [1]),
        ("WHERE CustomerRef = '2'", []),
        ("WHERE MetaData.LastUpdatedTime > '2000-01-01'", [1, 2, 3, 4, 5, 6, 7]),
        ("WHERE MetaData.CreateTime > '2099-01-01T00:00:00-08:00'", []),
        ("ORDERBY Id DESC", [7, 6, 5, 4, 3, 2, 1]),
        ("ORDER BY TxnDate DESC, Id ASC MAXRESULTS 2", [7, 6]),
        ("ORDERBY Id STARTPOSITION 3 MAXRESULTS 2", [3, 4]),
        ("STARTPOSITION 8", []),
    ],
)
def test_selections(numbers, rest, expected):
    assert numbers(rest) == expected


def test_a_page_tells_what_it_holds(client, numbers):
    page = client.query("select * from Invoice startposition 2 maxresults 3")
    assert (page["startPosition"], page["maxResults"]) == (2, 3)
    assert client.query("select * from Invoice startposition 99") == {}
    assert client.query("SELECT COUNT(*) FROM Invoice") == {"totalCount": 7}


def test_a_get_asks_the_same(client, numbers):
    answer = client.get("query", query="select count(*) from Invoice").json()
    assert answer["QueryResponse"] == {"totalCount": 7}


@pytest.mark.parametrize("name", ["O'Neil", "back\\slash", "100% 😀", "tab'\\'"])
def test_values_are_escaped(client, name):
    client.post("customer", {"DisplayName": name})
    literal = name.replace("\\", "\\\\").replace("'", "\\'")
    (found,) = client.query(f"select * from Customer where DisplayName = '{literal}'")["Customer"]
    assert found["DisplayName"] == name


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select * from Invoice startposition 0", "4001"),
        ("select * from Invoice maxresults 1001", "4001"),
        ("select * from Invoice where PrivateNote = 'x'", "4001"),
        ("select * from Invoice where Id > '1'", "4001"),
        ("select * from Nonsense", "4001"),
        ("select * from Invoice where Id = '1' or Id = '2'", "4000"),
        ("select * from Invoice where Id = 'x", "4000"),
        ("select Id from Invoice", "4000"),
        ("", "4000"),
    ],
)
def test_what_cannot_be_asked(client, statement, expected):
    answer = client.post("query", statement)
    assert answer.status_code == 400
    assert answer.json()["Fault"]["Error"][0]["code"] == expected
