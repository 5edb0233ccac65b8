"""Calls: keys and sessions, limits, and answers that are not what was asked for."""

from __future__ import annotations

import json

import pytest

from hourbridge.common.errors import (
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from tests.support.bigtime_source import open_source


def test_a_session_that_ends_is_replaced_once(firm, open_firm):
    opened = open_firm(user="ada")
    opened.records("clients")
    firm.disturb("expire_session", next=1, on="all")
    assert len(opened.records("clients")) == 0  # nothing changed, and nothing failed
    logins = [call for call in firm.calls() if call["path"] == "session"]
    assert len(logins) == 2


def test_a_session_refused_again_and_again_is_expired(firm, open_firm):
    opened = open_firm(user="ada")
    firm.disturb("expire_session", next=20, on="all")
    with pytest.raises(SourceAuthorizationExpired):
        opened.records("clients")


def test_a_wrong_key_a_wrong_realm_a_wrong_password(firm):
    with pytest.raises(SourceAuthorizationExpired):
        open_source(firm.api_url, firm.realm, "wrong").records("clients")
    with pytest.raises(SourceRefused) as refused:
        open_source(firm.api_url, "elsewhere", firm.key).records("clients")
    assert refused.value.reason_code == "realm_refused"
    with pytest.raises(SourceAuthorizationExpired) as expired:
        open_source(firm.api_url, firm.realm, "no", user="ada@acme.test").records("clients")
    assert "ada@acme.test" in str(expired.value)


def test_the_firm_can_be_named_by_its_number(firm):
    assert len(open_source(firm.api_url, firm.firm.tenant_id, firm.key).records("clients")) == 2


def test_exchanges_are_seen_without_secrets(firm, open_firm):
    opened = open_firm(user="ada")
    opened.records("time")
    seen = json.dumps([vars(each) for each in opened.exchanges])
    assert "time/Sheet/1?StartDt=2026-09-05" in seen
    assert '"Pwd"' not in seen
    assert '"token"' not in seen
    assert "X-Auth" not in seen
    assert {each.status for each in opened.exchanges} == {200}


def test_405_means_no_permission(firm, open_firm):
    with pytest.raises(SourceRefused) as refused:
        open_firm(user="bela").records("invoices")
    assert refused.value.reason_code == "permission_denied"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("html_page", SourceUnavailable),
        ("server_error", SourceUnavailable),
        ("partial_body", SourceUnavailable),
        ("lose_response", SourceUnavailable),
        ("truncated", SourceAnswerUnreadable),
        ("wrong_json", SourceAnswerUnreadable),
    ],
)
def test_faults_are_errors_and_the_next_call_goes_on(firm, opened, fault, error):
    firm.disturb(fault, next=1, on="reads")
    with pytest.raises(error):
        opened.page("clients")
    assert len(opened.records("clients")) == 2


def test_an_unreadable_answer_keeps_its_bytes_and_says_how_it_begins(firm, opened):
    firm.disturb("wrong_json", next=1, on="reads")
    with pytest.raises(SourceAnswerUnreadable) as unreadable:
        opened.page("clients")
    assert b"being prepared" in unreadable.value.raw
    assert "Your data is being prepared" in unreadable.value.what


def test_throttling_pauses_everybody_and_longer_each_time(firm, opened):
    firm.disturb("throttle", next=1, on="all", retry_after_seconds=7)
    with pytest.raises(SourceThrottled) as throttled:
        opened.page("clients")
    assert throttled.value.retry_after_seconds == 7
    firm.disturb("server_error", next=4, on="all")
    for _ in range(4):
        with pytest.raises(SourceUnavailable):
            opened.page("clients")
    assert opened.budget.pauses == [7, 10, 20, 40, 80]
    opened.page("clients")
    firm.disturb("server_error", next=1, on="all")
    with pytest.raises(SourceUnavailable):
        opened.page("staff")
    assert opened.budget.pauses[-1] == 5


def test_a_403_about_the_quota_is_throttling_too(firm, opened):
    firm.server.world.settings.change({"requests_per_minute_max": 1, "throttle_status": 403})
    try:
        opened.budget.left = 1
        with pytest.raises(SourceThrottled):
            opened.pages("clients")
        opened.budget.left = None
        with pytest.raises(SourceThrottled) as throttled:
            opened.pages("clients")
    finally:
        firm.server.world.settings.change({"requests_per_minute_max": None})
    assert throttled.value.retry_after_seconds == 60


def test_within_the_budget_the_service_never_throttles(firm, opened):
    assert opened.source.capabilities.quotas == ((25, 60),)
    opened.budget.left = 0
    with pytest.raises(SourceThrottled) as throttled:
        opened.page("clients")
    assert throttled.value.retry_after_seconds == 3
    assert firm.calls() == []


def test_check_tells_what_is_wrong(firm, open_firm):
    assert open_firm().source.check() == ()
    assert any("base_currency" in p for p in open_firm(base_currency=None).source.check())
    wrong = open_source(firm.api_url, firm.realm, "wrong").source.check()
    assert any("does not accept the key" in problem for problem in wrong)
    elsewhere = open_source(firm.api_url, "elsewhere", firm.key).source.check()
    assert any("realm" in problem for problem in elsewhere)
    bela = open_firm(user="bela").source.check()
    assert any("no permission" in problem for problem in bela)
    firm.disturb("server_error", next=9, on="all")
    with pytest.raises(SourceUnavailable):
        open_firm().source.check()
