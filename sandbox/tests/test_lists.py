"""Customers, jobs, items and accounts."""

import pytest


def code(answer):
    assert answer.status_code == 400, answer.text
    return answer.json()["Fault"]["Error"][0]["code"]


def test_a_job_is_a_customer_under_its_parent(client):
    (job,) = client.query("select * from Customer where DisplayName = 'Roof'")["Customer"]
    assert (job["FullyQualifiedName"], job["Level"], job["Job"]) == ("Acme:Roof", 1, True)
    assert job["ParentRef"] == {"value": "1"}


@pytest.mark.parametrize("name", ["acme", "ROOF", "Acme "])
def test_names_are_one_space_over_all_levels_and_cases(client, name):
    assert code(client.post("customer", {"DisplayName": name})) == "6240"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, "6080"),
        ({"DisplayName": "a:b"}, "2010"),
        ({"DisplayName": "x" * 501}, "2050"),
        ({"DisplayName": "J", "Job": True}, "2020"),
        ({"DisplayName": "J", "Job": True, "ParentRef": {"value": "99"}}, "700"),
    ],
)
def test_what_a_customer_is_refused_for(client, body, expected):
    assert code(client.post("customer", body)) == expected


def test_a_name_is_built_from_its_parts(client):
    made = client.post("customer", {"GivenName": "Ada", "FamilyName": "Byron"}).json()["Customer"]
    assert made["DisplayName"] == "Ada Byron"


def test_a_renamed_parent_renames_its_jobs(client):
    body = {"Id": "1", "SyncToken": "0", "sparse": True, "DisplayName": "Apex"}
    client.post("customer", body)
    (job,) = client.query("select * from Customer where DisplayName = 'Roof'")["Customer"]
    assert job["FullyQualifiedName"] == "Apex:Roof"


def test_lists_are_deactivated_not_deleted(client, invoice):
    token = {"Id": "1", "SyncToken": "0"}
    assert code(client.post("item", token, operation="delete")) == "500"
    off = client.post("item", token | {"sparse": True, "Active": False}).json()["Item"]
    assert (off["Name"], off["Active"]) == ("Consulting (deleted)", False)
    assert code(client.post("invoice", invoice())) == "610"
    named = "select * from Item where Name like 'Consulting%'"
    assert client.query(named) == {}
    assert len(client.query(f"{named} and Active in (true, false)")["Item"]) == 1


def test_a_customer_who_owes_stays(client, invoice):
    client.post("invoice", invoice())
    body = {"Id": "1", "SyncToken": "0", "sparse": True, "Active": False}
    assert "Delete List Has Balance" in client.post("customer", body).text


def test_an_item_needs_an_income_account(client):
    assert code(client.post("item", {"Name": "New", "Type": "Service"})) == "2020"
    wrong = {"Name": "New", "Type": "Service", "IncomeAccountRef": {"value": "99"}}
    assert code(client.post("item", wrong)) == "2500"
    assert code(client.post("item", wrong | {"Type": "OtherCharge"})) == "2170"


def test_tax_codes_are_read_only(client):
    assert client.get("taxcode/NON").json()["TaxCode"]["Name"] == "NON"
    assert code(client.post("taxcode", {"Name": "X"})) == "500"


def test_a_new_company_has_an_account_for_every_part_that_a_book_knows(client):
    from hourbridge.common.book.accounts import AccountRole
    from hourbridge.sandbox.quickbooks_online.chart import CHART

    assert set(CHART) == {role.value for role in AccountRole}
    held = {a["Name"]: a["AccountType"] for a in client.query("select * from Account")["Account"]}
    assert dict(CHART.values()).items() <= held.items()
