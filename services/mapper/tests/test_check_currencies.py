"""Currency policies that can't be applied are found when they are saved."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.mapper.rules.check import check
from tests.support.mapping import configuration

EURO_CLIENT = [{"client": "Acme", "customer": {"id": "17"}, "currency": "EUR"}]
EURO_VENDOR = [
    {"staff": "sam", "vendor": {"id": "V7"}, "cost_rate": "75.00", "currency": "EUR"},
]
REVERSING = {"revaluation": "reversing"}


def found(**changes: Any) -> list[tuple[str, str]]:
    codes = ("nothing_to_revalue", "revaluation_accounts")
    given = check(configuration(**changes))
    return [(f.code, f.detail) for f in given if f.code in codes]


def accounts(*roles: str) -> list[dict[str, Any]]:
    return [{"role": role, "ledger": {"name": role}} for role in roles]


@pytest.mark.parametrize(
    "changes",
    [
        {"clients": EURO_CLIENT},
        {
            "clients": EURO_CLIENT,
            "currencies": REVERSING,
            "accounts": accounts("fx_unrealized", "receivable_revaluation"),
        },
        {
            "subcontractors": EURO_VENDOR,
            "currencies": REVERSING,
            "accounts": accounts("fx_unrealized", "payable_revaluation"),
        },
    ],
)
def test_what_can_be_applied(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


def test_a_revaluation_needs_its_accounts() -> None:
    ((code, detail),) = found(clients=EURO_CLIENT, currencies=REVERSING)
    assert code == "revaluation_accounts"
    assert "fx_unrealized, receivable_revaluation" in detail
    ((_, detail),) = found(
        subcontractors=EURO_VENDOR, currencies=REVERSING, accounts=accounts("fx_unrealized")
    )
    assert detail.endswith("payable_revaluation")


def test_a_revaluation_without_foreign_currency_does_nothing() -> None:
    ((code, _),) = found(currencies=REVERSING)
    assert code == "nothing_to_revalue"
