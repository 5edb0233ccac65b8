"""Each answer of the service as the error class that it means."""

import httpx
import pytest

from hourbridge.common.errors import (
    DocumentNumberTaken,
    EditTokenStale,
    LedgerAuthorizationExpired,
    LedgerOutcomeUnknown,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    PeriodClosed,
)
from hourbridge.common.exact_json import dumps
from hourbridge.connectors.quickbooks_online.faults import error_of, error_of_transport


def answer(status, code=None, detail="why", lower=False):
    names = ("fault", "error", "message", "detail") if lower else None
    fault, error, message, detailed = names or ("Fault", "Error", "Message", "Detail")
    first = {message: "what", detailed: detail, "element": ""}
    if code is not None:
        first["code"] = code
    return httpx.Response(status, content=dumps({fault: {error: [first], "type": "x"}}))


@pytest.mark.parametrize(
    ("response", "on_write", "on_read"),
    [
        (answer(400, "6140"), DocumentNumberTaken, DocumentNumberTaken),
        (answer(400, "5010"), EditTokenStale, EditTokenStale),
        (answer(400, "6210"), PeriodClosed, PeriodClosed),
        (answer(400, "2500"), LedgerRejected, LedgerRejected),
        (answer(200, "6000"), LedgerRejected, LedgerRejected),
        (answer(403, "5020"), LedgerRejected, LedgerRejected),
        (answer(400, "150"), LedgerUnavailable, LedgerUnavailable),
        (answer(400, "6190"), LedgerUnavailable, LedgerUnavailable),
        (answer(400, "10000"), LedgerOutcomeUnknown, LedgerUnavailable),
        (answer(500, "10000"), LedgerOutcomeUnknown, LedgerUnavailable),
        (answer(504, "6002", lower=True), LedgerOutcomeUnknown, LedgerUnavailable),
        (answer(429, "3001"), LedgerThrottled, LedgerThrottled),
        (answer(403, "3001"), LedgerThrottled, LedgerThrottled),
        (answer(403, "3100"), LedgerAuthorizationExpired, LedgerAuthorizationExpired),
        (answer(401, "3200", lower=True), LedgerAuthorizationExpired, LedgerAuthorizationExpired),
        (httpx.Response(502, text="<html>"), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(503, text=""), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(403, text="<html>"), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(408, text=""), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(302, text=""), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(413, text="<html>"), LedgerRejected, LedgerRejected),
        (httpx.Response(200, text='{"Invoice": {"Id'), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(200, text="<html>"), LedgerOutcomeUnknown, LedgerUnavailable),
        (httpx.Response(200, text="[]"), LedgerOutcomeUnknown, LedgerUnavailable),
    ],
)
def test_what_an_answer_means(response, on_write, on_read):
    assert type(error_of(response, is_write=True)) is on_write
    assert type(error_of(response, is_write=False)) is on_read


def test_a_success_means_nothing_is_wrong():
    assert error_of(httpx.Response(200, text='{"Invoice": {}}'), is_write=True) is None


def test_a_refusal_carries_its_code_words_and_trace():
    response = answer(400, "6000", "the UI sentence")
    response.headers["intuit_tid"] = "1-abc"
    error = error_of(response, is_write=True)
    assert error.reason_code == "6000"
    assert "the UI sentence" in error.what
    assert error.ids["intuit_tid"] == "1-abc"


def test_a_refusal_without_code_is_known_by_its_status():
    assert error_of(answer(400), is_write=True).reason_code == "http_400"


def test_token_fragments_are_not_repeated():
    error = error_of(answer(401, "3200", "Token expired: AB0secret", lower=True), is_write=True)
    assert "secret" not in str(error)


@pytest.mark.parametrize(("header", "seconds"), [(None, 60), ("7", 7), ("soon", 60)])
def test_how_long_throttling_lasts(header, seconds):
    response = answer(429, "3001")
    if header is not None:
        response.headers["Retry-After"] = header
    assert error_of(response, is_write=True).retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("error", "on_write"),
    [
        (httpx.ConnectError("refused"), LedgerUnavailable),
        (httpx.ConnectTimeout("slow"), LedgerUnavailable),
        (httpx.PoolTimeout("busy"), LedgerUnavailable),
        (httpx.ReadTimeout("slow"), LedgerOutcomeUnknown),
        (httpx.WriteError("reset"), LedgerOutcomeUnknown),
        (httpx.ReadError("reset"), LedgerOutcomeUnknown),
        (httpx.RemoteProtocolError("gone"), LedgerOutcomeUnknown),
        (httpx.DecodingError("gzip"), LedgerOutcomeUnknown),
    ],
)
def test_what_a_failed_exchange_means(error, on_write):
    assert type(error_of_transport(error, is_write=True)) is on_write
    assert type(error_of_transport(error, is_write=False)) is LedgerUnavailable
