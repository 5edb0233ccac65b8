"""Lots: first in, first out; nothing is left in either currency when all is used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.retainers.lots import (
    Lot,
    LotPart,
    Movement,
    MovementKind,
    balance,
    base_balance,
    give_back,
    is_money,
    lots_of,
    root_of,
    share_of,
    take,
    what_stands,
)

JAN_8, FEB_2 = date(2026, 1, 8), date(2026, 2, 2)


def lot(name: str, amount: str, base: str, day: date = JAN_8) -> Lot:
    return Lot(name, day, day, Decimal(amount), Decimal(base))


def part(name: str, amount: str, base: str | None = None, **more: str) -> LotPart:
    return LotPart(
        lot_id=name,
        received_on=JAN_8,
        amount=Decimal(amount),
        base_amount=Decimal(base or amount),
        **more,
    )


def moved(
    name: str,
    kind: MovementKind,
    *parts: LotPart,
    day: date = JAN_8,
    reverses: str | None = None,
    is_posted: bool = True,
) -> Movement:
    return Movement(name, kind, day, parts, Decimal(0), reverses, is_posted)


def test_the_oldest_money_goes_first_and_the_last_part_takes_the_residue() -> None:
    lots = [lot("a", "100.00", "108.47"), lot("b", "50.00", "55.55", FEB_2)]
    first = take(lots, Decimal("33.33"), "USD")
    assert [(p.lot_id, p.amount, p.base_amount) for p in first] == [
        ("a", Decimal("33.33"), Decimal("36.15"))
    ]
    rest = [lot("a", "66.67", "72.32"), lots[1]]
    assert [(p.lot_id, p.base_amount) for p in take(rest, Decimal("90.00"), "USD")] == [
        ("a", Decimal("72.32")),
        ("b", Decimal("25.92")),
    ]


@pytest.mark.parametrize("amount", ["0", "-1", "150.01"])
def test_never_more_than_there_is(amount: str) -> None:
    with pytest.raises(ValueError, match="can't be taken"):
        take([lot("a", "150.00", "150.00")], Decimal(amount), "USD")


def test_empty_lots_are_passed_by() -> None:
    lots = [lot("a", "0", "0"), lot("b", "10", "10")]
    assert [p.lot_id for p in take(lots, Decimal(4), "JPY")] == ["b"]


def test_money_is_there_when_the_ledger_has_it_and_gone_when_it_is_promised() -> None:
    receipt = moved("r", MovementKind.RECEIPT, part("r", "80.00"))
    announced = moved("n", MovementKind.RECEIPT, part("n", "15.00"), is_posted=False)
    used = moved("u", MovementKind.APPLICATION, part("r", "30.00"), is_posted=False)
    assert balance(lots_of([used, receipt, announced])) == Decimal("50.00")
    assert [m.effect for m in (receipt, used)] == [Decimal("80.00"), Decimal("-30.00")]


def test_more_than_a_lot_held_is_a_defect() -> None:
    receipt = moved("r", MovementKind.RECEIPT, part("r", "80.00"))
    used = moved("u", MovementKind.APPLICATION, part("r", "80.01"))
    with pytest.raises(ValueError, match="does not hold"):
        lots_of([receipt, used])
    with pytest.raises(ValueError, match="does not hold"):
        lots_of([used])


def test_what_is_given_back_keeps_its_day_and_its_rate() -> None:
    receipt = moved("r", MovementKind.RECEIPT, part("r", "100.00", "110.00"))
    used = moved("u", MovementKind.APPLICATION, part("r", "70.00", "77.00"))
    back = give_back(used.parts, Decimal("20.00"), "v", "USD")
    returned = moved("v", MovementKind.APPLICATION, *back, day=FEB_2, reverses="u")
    assert returned.effect == Decimal("20.00")
    first, second = lots_of([receipt, used, returned])
    assert (first.lot_id, first.base_amount) == ("r", Decimal("33.00"))
    assert (second.received_on, second.available_from) == (JAN_8, FEB_2)
    assert (second.base_amount, root_of(second.lot_id)) == (Decimal("22.00"), "r")
    (standing,) = what_stands(used, [receipt, used, returned])
    assert (standing.amount, standing.base_amount) == (Decimal("50.00"), Decimal("55.00"))


def test_the_last_used_lot_gives_back_first_and_no_more_than_stands() -> None:
    used = [part("a", "10.00"), part("b", "5.00")]
    back = give_back(used, Decimal("7.00"), "v", "USD")
    assert [(root_of(p.lot_id), p.amount, p.returned_from) for p in back] == [
        ("b", Decimal("5.00"), "b"),
        ("a", Decimal("2.00"), "a"),
    ]
    assert len({p.lot_id for p in back}) == 2
    for amount in ("15.01", "0"):
        with pytest.raises(ValueError, match="more than stands"):
            give_back(used, Decimal(amount), "v", "USD")


def test_all_that_came_back_stands_no_more() -> None:
    used = moved("u", MovementKind.REFUND, part("a", "10.00"))
    back = give_back(used.parts, Decimal("10.00"), "v", "USD")
    returned = moved("v", MovementKind.REFUND, *back, reverses="u")
    other = moved("w", MovementKind.REFUND, part("a", "1.00"), reverses="elsewhere")
    assert what_stands(used, [used, returned, other]) == ()


def test_an_opening_balance_is_money_like_a_receipt() -> None:
    opening = moved("o", MovementKind.OPENING, part("o", "12.00", "13.00"))
    lots = lots_of([opening])
    assert (balance(lots), base_balance(lots)) == (Decimal("12.00"), Decimal("13.00"))


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("1.00", "USD", True), ("1.005", "USD", False), ("0", "USD", False), ("-1", "JPY", False)],
)
def test_money_is_positive_and_no_finer_than_its_currency(
    amount: str, currency: str, *, expected: bool
) -> None:
    assert is_money(Decimal(amount), currency) is expected


@given(
    received=st.lists(st.integers(1, 10_000), min_size=1, max_size=4),
    rate=st.integers(1, 400),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 5_000)), max_size=25),
)
def test_never_negative_and_nothing_is_lost(
    received: list[int], rate: int, steps: list[tuple[bool, int]]
) -> None:
    """Whatever is taken out and given back: both currencies always sum to what came in."""
    movements = [
        moved(f"r{n}", MovementKind.RECEIPT, part(f"r{n}", str(a), str(Decimal(a * rate) / 100)))
        for n, a in enumerate(received)
    ]
    for number, (gives_back, amount) in enumerate(steps):
        lots = lots_of(movements)
        name = f"m{number}"
        outward = [m for m in movements if m.kind is MovementKind.APPLICATION and not m.reverses]
        if gives_back and outward:
            standing = what_stands(outward[-1], movements)
            there = sum((p.amount for p in standing), Decimal(0))
            if there:
                back = give_back(standing, min(there, Decimal(amount)), name, "USD")
                reverses = outward[-1].movement_id
                movements.append(moved(name, MovementKind.APPLICATION, *back, reverses=reverses))
        elif balance(lots):
            taken = take(lots, min(balance(lots), Decimal(amount)), "USD")
            movements.append(moved(name, MovementKind.APPLICATION, *taken))
        lots = lots_of(movements)
        assert all(left.amount > 0 and left.base_amount >= 0 for left in lots)
        assert balance(lots) == sum(m.effect for m in movements)
    used = [m for m in movements if not m.is_inward]
    back = [m for m in movements if m.kind is MovementKind.APPLICATION and m.is_inward]
    base_in = sum((m.base_amount for m in movements[: len(received)]), Decimal(0))
    base_out = sum((m.base_amount for m in used), Decimal(0))
    assert base_balance(lots_of(movements)) == base_in - base_out + sum(
        (m.base_amount for m in back), Decimal(0)
    )


@given(st.integers(1, 10**7), st.integers(0, 10**7), st.lists(st.integers(1, 10**6), max_size=8))
def test_shares_of_a_whole_sum_to_its_base(whole: int, base: int, wanted: list[int]) -> None:
    left, base_left = Decimal(whole) / 100, Decimal(base) / 100
    total = base_left
    shares = []
    for amount in [Decimal(w) / 100 for w in wanted]:
        part_amount = min(amount, left)
        if not part_amount:
            break
        share = share_of(left, part_amount, base_left, "USD")
        shares.append(share)
        left, base_left = left - part_amount, base_left - share
    if left:
        shares.append(share_of(left, left, base_left, "USD"))
    assert sum(shares) == total
    assert all(share >= 0 for share in shares)
