"""The whole error table of the service: what each code means for a write, and what follows."""

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
from hourbridge.connectors.quickbooks_online.faults import error_of, error_of_item
from hourbridge.sandbox.quickbooks_online.fault_catalogue import CATALOGUE

RECONNECT = dict.fromkeys(("100", "110", "120", "3100", "3200", "3201"), LedgerAuthorizationExpired)
NOT_NOW = dict.fromkeys(("130", "140", "150", "6190"), LedgerUnavailable)
UNCLEAR = dict.fromkeys(("6002", "10000"), LedgerOutcomeUnknown)
OWN_CLASS = {
    "3001": LedgerThrottled,
    "5010": EditTokenStale,
    "6140": DocumentNumberTaken,
    "6210": PeriodClosed,
}
SHOWN = (
    *("500", "600", "610", "620", "630", "700", "800", "900", "1000", "1010", "1020", "1040"),
    *("1050", "2010", "2020", "2030", "2050", "2080", "2170", "2210", "2500", "4000", "4001"),
    *("5000", "5020", "5030", "6000", "6010", "6020", "6030", "6040", "6050", "6070", "6080"),
    *("6090", "6100", "6110", "6240", "6250", "6430", "6480", "6490", "6540", "6560"),
)
"""Permanent: told to a person in the service's words, unless the caller knows better (600, 610,
630, 2010, 2500: looked up again)."""
DISPOSITIONS = {
    **RECONNECT,
    **NOT_NOW,
    **UNCLEAR,
    **OWN_CLASS,
    **dict.fromkeys(SHOWN, LedgerRejected),
}


NO_CODE = ""
"""A fault without a code: told to a person in its words."""


def test_the_table_is_whole():
    assert set(DISPOSITIONS) == set(CATALOGUE) - {NO_CODE}


@pytest.mark.parametrize("code", sorted(DISPOSITIONS, key=int))
def test_every_code_has_its_disposition(code):
    message, detail, status = CATALOGUE[code]
    fault = {"Fault": {"Error": [{"Message": message, "Detail": detail, "code": code}]}}
    response = httpx.Response(status, content=dumps(fault), headers={"intuit_tid": "t-1"})
    error = error_of(response, is_write=True)
    assert type(error) is DISPOSITIONS[code]
    assert message in str(error)
    if isinstance(error, LedgerRejected):
        assert error.reason_code == code
        assert detail in str(error)
    if DISPOSITIONS[code] is not LedgerThrottled:
        assert "t-1" in str(error)


@pytest.mark.parametrize("code", sorted(set(DISPOSITIONS) - set(RECONNECT), key=int))
def test_an_item_of_a_batch_means_the_same(code):
    message, detail, _ = CATALOGUE[code]
    fault = {"Error": [{"Message": message, "Detail": detail, "code": code}]}
    assert type(error_of_item({"bId": "1", "Fault": fault})) is DISPOSITIONS[code]


def test_a_fault_without_a_code_is_told_in_its_words():
    message, detail, status = CATALOGUE[NO_CODE]
    fault = {"Fault": {"Error": [{"Message": message, "Detail": detail}]}}
    error = error_of(httpx.Response(status, content=dumps(fault)), is_write=True)
    assert type(error) is LedgerRejected
    assert message in str(error)


def test_an_item_that_was_carried_out_means_nothing():
    assert error_of_item({"bId": "1", "Invoice": {"Id": "1"}}) is None
