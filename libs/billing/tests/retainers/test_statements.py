"""The monthly log, and applied amounts by project."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.billing.retainers.lots import LotPart, Movement, MovementKind
from hourbridge.billing.retainers.statements import by_project, monthly_log


def movement(
    kind: str, day: date, amount: str, base: str | None = None, reverses: str | None = None
) -> Movement:
    part = LotPart(
        lot_id="a",
        received_on=day,
        amount=Decimal(amount),
        base_amount=Decimal(base or amount),
    )
    return Movement("m", MovementKind(kind), day, (part,), Decimal(0), reverses)


def test_each_month_opens_with_what_the_last_one_closed_with() -> None:
    movements = [
        movement("application", date(2026, 2, 2), "300", "310"),
        movement("opening", date(2025, 12, 5), "100", "110"),
        movement("receipt", date(2025, 12, 9), "400", "440"),
        movement("application", date(2026, 2, 20), "50", "51", reverses="m"),
        movement("refund", date(2026, 2, 27), "20"),
        movement("forfeit", date(2026, 3, 1), "30"),
        movement("receipt", date(2026, 4, 1), "999"),
    ]
    log = monthly_log(movements, date(2026, 3, 31))
    assert [month.month for month in log] == ["2025-12", "2026-01", "2026-02", "2026-03"]
    december, january, february, march = [month.amounts for month in log]
    assert (december.opening, december.receipts, december.closing) == (100, 400, 500)
    assert (january.opening, january.receipts, january.closing) == (500, 0, 500)
    assert (february.applications, february.refunds, february.closing) == (250, 20, 230)
    assert (march.forfeits, march.closing) == (30, 200)
    assert log[-1].base_amounts.closing == 110 + 440 - 310 + 51 - 20 - 30


def test_nothing_moved_yet() -> None:
    assert monthly_log([], date(2026, 3, 31)) == []


@pytest.mark.parametrize(
    ("amount", "lines", "expected"),
    [
        ("100.00", [("b", "50"), ("a", "50"), ("a", "50")], {"a": "66.67", "b": "33.33"}),
        ("10.00", [("a", "5"), ("c", "-5"), ("b", "5")], {"a": "5.00", "b": "5.00"}),
        ("0.01", [("b", "1"), ("a", "1")], {"a": "0.01", "b": "0"}),
        ("10.00", [("a", "-1")], {}),
    ],
)
def test_applied_by_project(
    amount: str, lines: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    given = [(project, Decimal(weight)) for project, weight in lines]
    found = by_project(Decimal(amount), given, "USD")
    assert found == {project: Decimal(part) for project, part in expected.items()}
