"""Company, preferences, rates, tax service, files, the smaller lists, faults on demand, tokens."""

import pytest

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online.fault_catalogue import CATALOGUE


def code(answer):
    return answer.json()["Fault"]["Error"][0].get("code")


def test_company_info_is_written_in_part(client):
    info = client.get("companyinfo/123").json()["CompanyInfo"]
    assert (info["Id"], info["SyncToken"]) == ("1", "0")
    change = {"Id": "1", "SyncToken": "0", "sparse": True, "LegalName": "Sandbox Inc."}
    changed = client.post("companyinfo", change).json()["CompanyInfo"]
    assert (changed["LegalName"], changed["CompanyName"]) == ("Sandbox Inc.", "Sandbox Company")
    assert code(client.post("companyinfo", change)) == "5010"
    assert client.query("select * from CompanyInfo")["CompanyInfo"][0]["SyncToken"] == "1"


def test_preferences_are_written_but_for_what_is_read_only(client):
    client.control(
        "PUT",
        "/companies/123/preferences",
        {"AccountingInfoPrefs": {"BookCloseDate": "2026-01-31"}},
    )
    preferences = client.get("preferences").json()["Preferences"]
    preferences["SalesFormsPrefs"]["AllowDiscount"] = False
    preferences["AccountingInfoPrefs"]["BookCloseDate"] = "2020-01-01"
    written = client.post("preferences", preferences).json()["Preferences"]
    assert written["SalesFormsPrefs"]["AllowDiscount"] is False
    assert written["AccountingInfoPrefs"]["BookCloseDate"] == "2026-01-31"
    assert code(client.post("preferences", preferences)) == "5010"


def test_exchange_rates(client):
    rate = {"SourceCurrencyCode": "EUR", "AsOfDate": "2026-01-02", "Rate": "1.125"}
    assert code(client.post("exchangerate", rate)) == "6000"
    client.control(
        "PUT", "/companies/123/preferences", {"CurrencyPrefs": {"MultiCurrencyEnabled": True}}
    )
    assert client.post("exchangerate", rate).json()["ExchangeRate"]["SyncToken"] == "0"
    assert code(client.post("exchangerate", rate)) == "5010"
    again = {**rate, "Rate": 2, "SyncToken": "0"}
    assert client.post("exchangerate", again).json()["ExchangeRate"]["SyncToken"] == "1"
    read = client.get("exchangerate", sourcecurrencycode="EUR", asofdate="2026-01-05")
    assert read.json()["ExchangeRate"]["Rate"] == 2
    assert code(client.post("exchangerate", {**rate, "SourceCurrencyCode": "USD"})) == "2030"
    where = "SourceCurrencyCode in ('EUR') and AsOfDate >= '2026-01-01'"
    (found,) = client.query(f"select * from ExchangeRate where {where}")["ExchangeRate"]
    assert (found["AsOfDate"], "Id" in found) == ("2026-01-02", False)


def test_the_tax_service_answers_without_an_envelope(client):
    assert client.post("taxagency", {"DisplayName": "State"}).json()["TaxAgency"]["Id"] == "1"
    detail = {
        "TaxRateName": "State 8",
        "RateValue": "8",
        "TaxAgencyId": "1",
        "TaxApplicableOn": "Sales",
    }
    made = client.post("taxservice/taxcode", {"TaxCode": "State", "TaxRateDetails": [detail]})
    content = made.json()
    assert content["TaxCode"] == "State"
    stored = client.get(f"taxcode/{content['TaxCodeId']}").json()["TaxCode"]
    assert stored["SalesTaxRateList"]["TaxRateDetail"][0]["TaxRateRef"]["name"] == "State 8"
    again = client.post("taxservice/taxcode", {"TaxCode": "State", "TaxRateDetails": [detail]})
    assert code(again) == "6240"
    assert code(client.post("taxcode", {"Name": "X"})) == "500"


def test_files_have_an_address_and_forms_a_print(client, invoice):
    made = client.post("invoice", invoice("A-1")).json()["Invoice"]
    boundary = "b"
    parts = [
        '--b\nContent-Disposition: form-data; name="file_metadata_01"\n'
        'Content-Type: application/json\n\n{"FileName": "a.txt"}\n',
        '--b\nContent-Disposition: form-data; name="file_content_01"; filename="a.txt"\n'
        "Content-Type: text/plain\n\nhello\n--b--\n",
    ]
    uploaded = client.http.post(
        "/v3/company/123/upload",
        content="".join(parts),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    ).json()
    file = uploaded["AttachableResponse"][0]["Attachable"]
    address = client.get(f"download/{file['Id']}").text
    assert client.http.get(address, headers={"Accept": "*/*"}).content == b"hello"
    pdf = client.http.get(
        f"/v3/company/123/invoice/{made['Id']}/pdf", headers={"Accept": "application/pdf"}
    )
    assert pdf.headers["content-type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    assert code(client.get("download/1")) == "610"
    found = client.query("select Id from attachable where FileName = 'a.txt'")["Attachable"]
    assert found == [{"Id": file["Id"], "sparse": True}]


def test_sending_needs_an_address(client, invoice):
    made = client.post("invoice", invoice("A-1")).json()["Invoice"]
    assert code(client.post(f"invoice/{made['Id']}/send", "")) == "2020"
    sent = client.post(f"invoice/{made['Id']}/send", "", sendTo="a@example.test").json()["Invoice"]
    assert (sent["EmailStatus"], sent["DeliveryInfo"]["DeliveryType"]) == ("EmailSent", "Email")
    assert sent["SyncToken"] == "1"


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("department", {"Name": "North"}),
        ("paymentmethod", {"Name": "Card", "Type": "CREDIT_CARD"}),
        ("companycurrency", {"Name": "Euro", "Code": "EUR"}),
        ("class", {"Name": "East"}),
    ],
)
def test_smaller_lists_are_unique_and_made_inactive(client, resource, body):
    (entity,) = [v for v in client.post(resource, body).json().values() if isinstance(v, dict)]
    assert code(client.post(resource, body)) == "6240"
    token = {"Id": entity["Id"], "SyncToken": "0"}
    assert code(client.post(resource, token, operation="delete")) == "500"
    gone = client.post(resource, {**token, "sparse": True, "Active": False}).json()
    assert any(v.get("Name", "").endswith(" (deleted)") for v in gone.values() if type(v) is dict)


def test_terms_by_day_of_the_month(client, invoice):
    body = {"Name": "20th", "DayOfMonthDue": 20, "DueNextMonthDays": 10}
    term = client.post("term", body).json()["Term"]
    assert term["Type"] == "DATE_DRIVEN"
    for dated, due in (("2026-01-05", "2026-01-20"), ("2026-01-15", "2026-02-20")):
        made = client.post(
            "invoice", invoice(dated, TxnDate=dated, SalesTermRef={"value": term["Id"]})
        )
        assert made.json()["Invoice"]["DueDate"] == due


def test_a_billable_cost_makes_a_charge_at_once(client):
    accounts = client.query("select * from Account where Name = 'Reimbursable Expenses'")
    detail = {
        "AccountRef": {"value": accounts["Account"][0]["Id"]},
        "CustomerRef": {"value": "1"},
        "BillableStatus": "Billable",
    }
    line = {"Amount": 40, "DetailType": "AccountBasedExpenseLineDetail"}
    line["AccountBasedExpenseLineDetail"] = detail
    bill = loads(client.post("bill", {"VendorRef": {"value": "1"}, "Line": [line]}).content)["Bill"]
    (link,) = bill["LinkedTxn"]
    assert link["TxnType"] == "ReimburseCharge" and bill["Line"][0]["LinkedTxn"] == [link]
    assert int(link["TxnId"]) == int(bill["Id"]) + 1  # one sequence of ids
    where = "CustomerRef = '1' and HasBeenInvoiced = false"
    (charge,) = client.query(f"select * from ReimburseCharge where {where}")["ReimburseCharge"]
    assert (charge["Amount"], charge["HasBeenInvoiced"]) == (40, False)
    assert client.post("bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete").is_success
    assert code(client.get(f"reimbursecharge/{link['TxnId']}")) == "610"


@pytest.mark.parametrize("wanted", sorted(CATALOGUE))
def test_every_fault_of_the_catalogue_can_be_had(client, wanted):
    message, _, status = CATALOGUE[wanted]
    client.control("POST", "/refusals", {"code": wanted, "on": "reads", "resource": "preferences"})
    assert client.get("companyinfo/123").is_success
    answer = client.get("preferences")
    error = answer.json()["Fault"]["Error"][0]
    assert (answer.status_code, error["Message"]) == (status, message)
    assert error.get("code", "") == wanted
    assert client.get("preferences").is_success


def test_a_customer_with_a_balance_stays_and_the_fault_has_no_code(client, invoice):
    client.post("invoice", invoice("A-1"))
    body = {"Id": "1", "SyncToken": "0", "sparse": True, "Active": False}
    error = client.post("customer", body).json()["Fault"]["Error"][0]
    assert (error["Message"], "code" in error) == ("Delete List Has Balance Error", False)


def test_xml_comes_where_json_is_not_asked_for(client):
    client.control("PUT", "/settings", {"answers_xml": True})
    answer = client.http.get("/v3/company/123/customer/3", headers={"Accept": "*/*"})
    assert answer.headers["content-type"] == "application/xml"
    assert b"<DisplayName>Bell</DisplayName>" in answer.content


def test_a_grant_ends_for_good_however_often_it_is_refreshed(client):
    client.control("PUT", "/settings", {"refresh_hard_expiry_seconds": 1000})
    grant = {"grant_type": "refresh_token", "refresh_token": "RT1-123"}
    asked = {"x-include-refresh-token-hard-expires-in": "true"}
    auth = ("sandbox-client", "sandbox-secret")
    path = "/oauth2/v1/tokens/bearer"
    told = client.http.post(path, data=grant, auth=auth, headers=asked).json()
    assert 990 <= told["x_refresh_token_hard_expires_in"] <= 1000
    assert "x_refresh_token_hard_expires_in" not in client.login().json()
    client.control("PUT", "/clock", {"offset_seconds": 1001})
    assert client.login().json()["error"] == "invalid_grant"


def test_refresh_tokens_can_be_spoilt_and_consent_refused(client):
    client.control("POST", "/companies/123/tokens", {"action": "invalidate_refresh"})
    assert client.login().json()["error"] == "invalid_grant"
    place = {"redirect_uri": "http://127.0.0.1/cb", "state": "s", "deny": "1"}
    sent = client.http.get("/connect/oauth2", params=place)
    assert "error=access_denied" in sent.headers["location"]


def test_snapshots_keep_tombstones_and_rates(client, server, tmp_path, invoice):
    made = client.post("invoice", invoice("A-1")).json()["Invoice"]
    client.post("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    server.world.save(tmp_path / "books.json")
    from hourbridge.sandbox.quickbooks_online.world import World

    world = World()
    world.load(tmp_path / "books.json")
    assert set(world.companies["123"].tombstones["Invoice"]) == {made["Id"]}
