"""Who may do what: keys, sessions, realms, permissions, limits (checklist 1, 3 and 4)."""

from __future__ import annotations

import httpx

from tests.support.bigtime_firm import BigTimeFirm, add_firm


def status(firm: BigTimeFirm, **headers: str) -> int:
    named = {"key": "X-Auth-ApiToken", "token": "X-Auth-Token", "realm": "X-Auth-Realm"}
    sent = {named[name]: value for name, value in headers.items()}
    return httpx.get(f"{firm.api_url}client", headers=sent).status_code


def test_key_and_realm_must_belong_together(firm):
    other = add_firm(firm, {"realm": "studio", "dataset": "studio"})
    assert status(firm) == 401
    assert status(firm, key="unknown", realm="acme") == 401
    assert status(firm, key=firm.key, realm="acme") == 200
    assert status(firm, key=firm.key, realm=firm.firm.tenant_id) == 200
    assert status(firm, key=firm.key, realm=other.realm) == 403
    assert status(firm, key=firm.key, realm="nowhere") == 403
    assert status(firm, key=firm.key) == 403


def test_firms_lie_side_by_side_with_equal_ids(firm, client_of):
    other = add_firm(firm, {"realm": "studio", "dataset": "studio"})
    assert client_of(firm).get("client/detail/1")["Nm"] == "Edison Attic"
    assert client_of(other).get("client/detail/1")["Nm"] == "Bäckerei Süß"
    sids = {row["SID"] for row in client_of(other).sheet()}
    assert firm.enter("2026-10-06", "1", approved=True) in sids


def test_wrong_password_is_401(firm):
    body = {"UserId": "ada@acme.test", "Pwd": "guess"}
    assert httpx.post(f"{firm.api_url}Session", json=body).status_code == 401


def test_session_tells_who_logged_in(log_in):
    about = log_in("bela").get("session")
    assert (about["firm"], about["staffsid"], about["IsFirmAdmin"]) == ("acme", 2, False)
    assert (about["sname"], about["FirmCount"]) == ("Cohn", 1)


def test_session_ends_by_the_clock(firm, log_in):
    client = log_in()
    firm.move_clock(firm.server.world.settings.session_seconds - 60)
    assert client.status("GET", "client") == 200
    firm.move_clock(61)
    assert client.status("GET", "client") == 401
    assert log_in().status("GET", "client") == 200


def test_user_of_two_firms_names_one(firm):
    user = {"user_id": "ada@acme.test", "password": "ada", "staff_sid": 1}
    other = add_firm(firm, {"realm": "branch", "users": [user]})
    body = {"UserId": "ada@acme.test", "Pwd": "ada"}
    first = httpx.post(f"{firm.api_url}session", json=body).json()
    assert (first["firm"], first["FirmCount"]) == ("acme", 2)
    second = httpx.post(f"{firm.api_url}session", json={**body, "Firm": "branch"}).json()
    assert second["firm"] == "branch"
    assert status(firm, token=second["token"], realm=other.realm) == 200
    assert status(firm, token=second["token"], realm="acme") == 403


def test_missing_permission_is_405(firm, log_in):
    user = log_in("bela")
    assert user.status("POST", "client/detail", {"Nm": "Mine"}) == 405
    assert user.status("GET", "invoice/drafts") == 405
    assert user.get("Session/IsPermitted") is False


def test_key_that_only_reads(firm):
    firm.firm.keys.append(type(firm.firm.keys[0])("reader", may_write=False))
    headers = {"X-Auth-ApiToken": "reader", "X-Auth-Realm": "acme"}
    posted = httpx.post(f"{firm.api_url}client/detail", headers=headers, json={"Nm": "X"})
    assert posted.status_code == 405
    filtered = httpx.post(f"{firm.api_url}expense/reportbyfilter", headers=headers, json={})
    assert filtered.status_code == 200


def test_staffsid_of_somebody_else_is_ignored_not_refused(firm, log_in):
    firm.enter("2026-10-06", "3", staff=1)
    firm.enter("2026-10-06", "5", staff=2)
    assert [row["StaffSID"] for row in log_in("bela").sheet(1)] == [2]
    assert [row["StaffSID"] for row in log_in("ada").sheet(2)] == [2]
    body = {"Dt": "2026-10-07", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": 1}
    assert log_in("bela").post("time", body)["StaffSID"] == 2


def test_routes_and_query_names_have_no_case(firm, client):
    firm.enter("2026-10-06", "1")
    query = {"STARTDT": "2026-10-01", "enddt": "2026-10-31", "VIEW": "detailed"}
    rows = client.get("TIME/sHeEt/1", **query)
    assert "ApprovalStatusNm" in rows[0]
    upper = firm.api_url.replace("BigtimeData/api", "BIGTIMEDATA/API")
    assert httpx.get(f"{upper}CLIENT", headers=firm.headers).status_code == 200


def test_unknown_fields_and_read_only_ones_are_ignored(client):
    made = client.post(
        "client/detail", {"nm": "Bolt", "COUNTRY": "US", "Zodiac": 1, "DtCreated": 5}
    )
    assert (made["Nm"], made["Country"]) == ("Bolt", "US")
    assert "Zodiac" not in made
    assert made["DtCreated"].startswith("20")


def test_thirty_calls_a_minute_then_429_then_recovery(firm, client):
    firm.server.world.settings.change({"requests_per_minute_max": 30})
    statuses = [client.status("GET", "client") for _ in range(32)]
    assert statuses == [200] * 30 + [429] * 2
    assert "retry-after" not in client.send("GET", "client").headers
    firm.move_clock(61)
    assert client.status("GET", "client") == 200


def test_limit_is_per_key(firm, client, log_in):
    firm.server.world.settings.change({"requests_per_minute_max": 2, "throttle_status": 403})
    user = log_in()
    assert [client.status("GET", "client") for _ in range(3)] == [200, 200, 403]
    assert user.status("GET", "client") == 200


def test_errors_are_json_with_a_message(client):
    answer = client.send("GET", "time/Sheet/1", StartDt="2026-10-01")
    assert (answer.status_code, answer.json()) == (
        400,
        {"Message": "StartDt and EndDt are required."},
    )
    assert client.status("GET", "time/Sheet/1", StartDt="soon", EndDt="2026-10-31") == 400
    assert client.status("POST", "client/detail", []) == 400
    assert client.http.post("client/detail", content="{oops").status_code == 400
    assert client.status("GET", "time/totals") == 404
    assert client.status("POST", "time/reportbyfilter", {}) == 400
    assert client.status("GET", "client/detail/99999999999999999999999") == 404
