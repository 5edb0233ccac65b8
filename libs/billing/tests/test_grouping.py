"""Which charges share a document."""

from __future__ import annotations

from datetime import date

import pytest

from hourbridge.billing.grouping import (
    billing_period,
    document_date,
    fee_key,
    group_keys,
    is_on_demand,
    ledger_key,
)
from hourbridge.common.book import Grouping, InvoicingPolicy, LedgerBinding, LedgerReference
from hourbridge.common.messages.events import Charge
from tests.support.charges import LEDGER, fee, make_charge

MARCH_31 = date(2026, 3, 31)


def charge_of(grouping: Grouping, **changes: object) -> Charge:
    return make_charge(invoicing=InvoicingPolicy(grouping=grouping), **changes)


def group(charge: Charge, record_id: str = "r1") -> str:
    return group_keys(charge, record_id).group


@pytest.mark.parametrize("grouping", [Grouping.PROJECT_MONTH, Grouping.PROJECT_ON_DEMAND])
def test_projects_are_billed_apart(grouping: Grouping) -> None:
    first = charge_of(grouping)
    assert group(first) == group(first, "another record")
    assert group(first) != group(charge_of(grouping, project="P2"))
    assert group(first) != group(charge_of(grouping, job=LedgerReference(name="Acme:P1")))


@pytest.mark.parametrize(
    "grouping", [Grouping.CLIENT_MONTH, Grouping.CLIENT_QUARTER, Grouping.CLIENT_ON_DEMAND]
)
def test_a_clients_projects_are_billed_together(grouping: Grouping) -> None:
    assert group(charge_of(grouping)) == group(charge_of(grouping, project="P2"))
    assert group(charge_of(grouping)) != group(charge_of(grouping, client="Bolt"))


def test_each_record_is_billed_alone_if_asked() -> None:
    charge = charge_of(Grouping.ENTRY)
    assert group(charge, "r1") != group(charge, "r2")
    assert group_keys(charge, "r1").engagement == group_keys(charge, "r2").engagement


def test_currencies_and_ledgers_never_share_a_document() -> None:
    other = LedgerBinding(connection="main", company_id="2")
    base = charge_of(Grouping.CLIENT_MONTH)
    assert group(base) != group(charge_of(Grouping.CLIENT_MONTH, currency="EUR"))
    assert group(base) != group(charge_of(Grouping.CLIENT_MONTH, ledger=other))
    assert ledger_key(LEDGER) != ledger_key(other)


def test_a_clients_fee_is_gathered_over_its_projects() -> None:
    first, second = (
        charge_of(Grouping.PROJECT_MONTH, project=p, rate=None, flat_fee=fee())
        for p in ("P1", "P2")
    )
    assert group(first) == group(second)
    assert fee_key(first) == fee_key(second)
    assert fee_key(charge_of(Grouping.PROJECT_MONTH)) is None


def test_periods() -> None:
    may = date(2026, 5, 5)
    quarter = billing_period(Grouping.CLIENT_QUARTER, may)
    assert quarter is not None
    assert quarter.label == "2026-Q2"
    assert billing_period(Grouping.ENTRY, may) is None
    assert is_on_demand(Grouping.CLIENT_ON_DEMAND)
    assert not is_on_demand(Grouping.ENTRY)


@pytest.mark.parametrize(
    ("grouping", "through", "expected"),
    [
        (Grouping.ENTRY, MARCH_31, date(2026, 3, 5)),
        (Grouping.PROJECT_MONTH, date(2026, 4, 30), MARCH_31),
        (Grouping.PROJECT_MONTH, date(2026, 3, 20), date(2026, 3, 20)),
        (Grouping.CLIENT_ON_DEMAND, MARCH_31, MARCH_31),
    ],
)
def test_document_dates(grouping: Grouping, through: date, expected: date) -> None:
    dates = [date(2026, 3, 2), date(2026, 3, 5)]
    assert document_date(grouping, dates, through) == expected
