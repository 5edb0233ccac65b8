"""Switches for what is not known of the real service: a connector has to bear either way."""

from __future__ import annotations

import pytest


@pytest.fixture
def switch(firm):
    return lambda **values: firm.server.world.settings.change(values)


def test_stamps_of_entries_as_number_as_text_or_not_at_all(firm, client, switch):
    firm.enter("2026-10-06", "1")
    assert isinstance(client.sheet()[0]["DtModified"], int)
    switch(entry_stamps="text")
    assert client.sheet()[0]["DtModified"].startswith("20")
    switch(entry_stamps="absent")
    assert "DtModified" not in client.sheet()[0]


def test_rates_applied_before_submission(firm, client, switch):
    switch(rates_before_submission="applied")
    firm.enter("2026-10-06", "2")
    assert client.sheet()[0]["ChargeBillable"] == 300


def test_modified_moves_with_the_rates(firm, client, switch):
    firm.enter("2026-10-06", "1", approved=True)
    before = client.sheet()[0]["DtModified"]
    switch(entries_show_modified_on_rate_change=True)
    firm.save("staff", 1, Rate1=175)
    firm.move_clock(60)
    firm.act("rerate")
    assert client.sheet()[0]["DtModified"] > before


def test_lists_with_every_field(client, switch):
    assert "QBCustomerId" not in client.get("client")[0]
    switch(lists_show_link_fields=True)
    assert "QBCustomerId" in client.get("client")[0]


def test_throttling_with_a_pause_to_wait(client, switch):
    switch(requests_per_minute_max=1, retry_after_seconds=30)
    client.get("client")
    refused = client.send("GET", "client")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")


@pytest.mark.parametrize(
    "values",
    [{"entry_stamps": "sand"}, {"session_seconds": "long"}, {"requests_per_minute_max": 0}],
)
def test_wrong_values_are_refused(switch, values):
    with pytest.raises(ValueError, match="is not a value of"):
        switch(**values)


def test_order_of_custom_rates_is_the_firms_own(firm, client):
    """The order comes from an older product: a firm may have another one."""
    for scope, rate in (({"StaffSid": 1}, 95), ({"LaborCodeSid": 1}, 225)):
        client.post("project/rate", {"ProjectSid": 1, "RateValue": rate, **scope})
    order = list(firm.firm.settings.rate_priority)
    order.remove("labor")
    firm.act("settings", rate_priority=["labor", *order])
    firm.enter("2026-10-06", "1", submitted=True)
    assert client.sheet()[0]["BillRate"] == 225
    with pytest.raises(ValueError, match="rate_priority orders"):
        firm.act("settings", rate_priority=["labor"])
