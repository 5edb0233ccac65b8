"""Tokens, realms, limits, request ids: what stands before the books."""

import httpx
import pytest


def test_an_unknown_token_is_answered_by_the_gateway(client):
    client.http.headers["Authorization"] = "Bearer nonsense"
    answer = client.get("preferences")
    assert answer.status_code == 401
    assert answer.json()["fault"]["error"][0]["code"] == "3200"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_an_access_token_ends_with_its_hour(client):
    assert client.get("preferences").status_code == 200
    client.control("PUT", "/clock", {"offset_seconds": 3601})
    assert client.get("preferences").status_code == 401
    client.login()
    assert client.get("preferences").status_code == 200


def test_a_token_opens_its_own_company_only(client):
    client.control("POST", "/companies", {"realm": "456", "name": "Other"})
    answer = client.http.get("/v3/company/456/preferences")
    assert answer.status_code == 403
    assert answer.json()["Fault"]["Error"][0]["code"] == "3100"


def test_json_must_be_asked_for(client):
    answer = client.http.get("/v3/company/123/preferences", headers={"Accept": "*/*"})
    assert answer.status_code == 406


def test_refresh_tokens_rotate_and_the_former_one_lives_through_its_grace(client):
    settings = {"refresh_rotation": "always", "refresh_grace_seconds": 10}
    client.control("PUT", "/settings", settings)
    second = client.login().json()["refresh_token"]
    assert second != "RT1-123"
    assert client.login("RT1-123").is_success
    client.control("PUT", "/clock", {"offset_seconds": 11})
    refused = client.login("RT1-123")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert client.login(second).is_success


def test_by_default_a_refresh_token_changes_daily(client):
    assert client.login().json()["refresh_token"] == "RT1-123"
    client.control("PUT", "/clock", {"offset_seconds": 86_401})
    assert client.login().json()["refresh_token"] != "RT1-123"


def test_a_code_is_good_once(client):
    place = {"redirect_uri": "http://127.0.0.1/cb", "state": "s"}
    sent = client.http.get("/connect/oauth2", params=place)
    query = httpx.URL(sent.headers["location"]).params
    assert (query["realmId"], query["state"]) == ("123", "s")
    grant = {"grant_type": "authorization_code", "code": query["code"]}
    auth = ("sandbox-client", "sandbox-secret")
    first = client.http.post("/oauth2/v1/tokens/bearer", data=grant, auth=auth)
    second = client.http.post("/oauth2/v1/tokens/bearer", data=grant, auth=auth)
    assert (first.status_code, second.status_code) == (200, 400)
    assert client.login(first.json()["refresh_token"]).is_success


def test_only_the_client_gets_tokens(client):
    grant = {"grant_type": "refresh_token", "refresh_token": "RT1-123"}
    answer = client.http.post("/oauth2/v1/tokens/bearer", data=grant, auth=("x", "y"))
    assert answer.status_code == 401


def test_a_revoked_grant_is_dead(client):
    client.http.post("/v2/oauth2/tokens/revoke", json={"token": "RT1-123"})
    assert client.get("preferences").status_code == 401
    assert client.login().status_code == 400


def test_requests_beyond_the_limit_are_refused_until_told_otherwise(client):
    client.control("PUT", "/settings", {"requests_per_minute_max": 3})
    statuses = [client.get("preferences").status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    fault = client.get("preferences").json()["Fault"]
    assert (fault["type"], fault["Error"][0]["code"]) == ("SERVICE", "3001")
    client.control("PUT", "/settings", {"requests_per_minute_max": None})
    assert client.get("preferences").status_code == 200


def test_a_repeated_request_id_is_answered_from_memory(client, invoice):
    first = client.post("invoice", invoice("A-1"), requestid="k")
    again = client.post("invoice", invoice("A-2"), requestid="k")
    assert again.content == first.content
    assert client.query("select count(*) from Invoice") == {"totalCount": 1}


def test_memory_answers_for_deleted_objects_too(client, invoice):
    made = client.post("invoice", invoice(), requestid="k").json()["Invoice"]
    client.post("invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    assert client.post("invoice", invoice(), requestid="k").json()["Invoice"]["Id"] == made["Id"]
    assert client.query("select count(*) from Invoice") == {"totalCount": 0}


def test_memory_can_be_short_or_off(client, invoice):
    client.control("PUT", "/settings", {"requestid_memory_seconds": 60})
    client.post("invoice", invoice(None), requestid="k")
    client.control("PUT", "/clock", {"offset_seconds": 61})
    client.post("invoice", invoice(None), requestid="k")
    assert client.query("select count(*) from Invoice") == {"totalCount": 2}
    client.control("PUT", "/settings", {"requestid_memory_seconds": 0})
    for _ in range(2):
        client.post("invoice", invoice(None), requestid="new")
    assert client.query("select count(*) from Invoice") == {"totalCount": 4}


def test_refusals_are_not_remembered(client, invoice):
    refused = client.post("invoice", invoice(CustomerRef={"value": "99"}), requestid="k")
    assert refused.status_code == 400
    assert client.post("invoice", invoice(), requestid="k").status_code == 200


def test_a_request_id_has_at_most_fifty_characters(client, invoice):
    assert client.post("invoice", invoice(), requestid="k" * 51).status_code == 400


@pytest.mark.parametrize("body", ["{", "[]", "", "\x00"])
def test_a_body_that_is_no_object_is_refused(client, body):
    answer = client.post("invoice", body)
    assert answer.json()["Fault"]["Error"][0]["code"] == "1000"
