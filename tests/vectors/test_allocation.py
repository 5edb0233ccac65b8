"""Allocations that others published: moneyphp, OpenMeter."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.allocation import spread
from hourbridge.common.money import RoundingMode, allocate, round_digits
from tests.vectors.data import cases, decimals


def cents(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def keyed(weights: list[str]) -> list[tuple[str, Decimal]]:
    return [(f"{at:03}", weight) for at, weight in enumerate(decimals(weights))]


@pytest.mark.parametrize(("total", "weights", "parts"), cases("moneyphp", "allocate"))
def test_moneyphp_allocates_alike(total: int, weights: list[str], parts: list[int]) -> None:
    expected = [cents(part) for part in parts]
    assert list(allocate(cents(total), keyed(weights), "EUR").values()) == expected
    assert spread(cents(total), decimals(weights), "EUR") == expected


@pytest.mark.parametrize("case", cases("moneyphp", "allocate_otherwise"))
def test_where_moneyphp_differs_ours_is_the_mirror(case: dict[str, Any]) -> None:
    found = list(allocate(cents(case["total"]), keyed(case["weights"]), "EUR").values())
    assert found == [cents(part) for part in case["ours"]] != [cents(p) for p in case["theirs"]]
    mirrored = allocate(cents(-case["total"]), keyed(case["weights"]), "EUR")
    assert found == [-part for part in mirrored.values()]


@pytest.mark.parametrize(("value", "mode", "rounded"), cases("moneyphp", "round"))
def test_moneyphp_rounds_alike(value: str, mode: str, rounded: str) -> None:
    assert round_digits(Decimal(value), 0, RoundingMode(mode)) == Decimal(rounded)


@pytest.mark.parametrize(("total", "currency", "weights", "parts"), cases("openmeter", "allocate"))
def test_openmeter_allocates_alike(
    total: str, currency: str, weights: dict[str, str], parts: dict[str, str]
) -> None:
    given = [(key, Decimal(weight)) for key, weight in weights.items()]
    found = allocate(Decimal(total), given, currency)
    assert found == {key: Decimal(part) for key, part in parts.items()}


@pytest.mark.parametrize(("total", "currency", "weights"), cases("openmeter", "refused"))
def test_openmeter_refuses_alike(total: str, currency: str, weights: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        allocate(Decimal(total), [(k, Decimal(w)) for k, w in weights.items()], currency)
