"""The price of one line: its charges under its policy snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.amounts import money_amount, time_amount
from hourbridge.billing.basis import LineBasis
from hourbridge.billing.increments import bill_group, exact_hours, quantity_of
from hourbridge.common.book import RoundingPolicy, RoundingScope
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import Charge, RoundingStep
from hourbridge.common.money import EXACT, RoundingMode, round_money

ONE = Decimal(1)
NOTHING = Decimal(0)
DEFAULT_DAY_KEY = ("staff", "task")


@dataclass(frozen=True)
class LinePrice:
    """What a line comes to. ``unbilled`` are charges whose rounding group came to nothing."""

    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    billed_seconds: int = 0
    worked_seconds: int = 0
    carry_out_seconds: Decimal = NOTHING
    roundings: tuple[RoundingStep, ...] = ()
    unbilled: tuple[Charge, ...] = ()
    cause: str = ""
    """Why there is an unbilled part."""


def in_order(charges: Sequence[Charge]) -> list[Charge]:
    """Return charges in the order in which they are priced, however they arrived."""
    return sorted(charges, key=lambda charge: (charge.work_date, charge.charge_id))


def price_line(charges: Sequence[Charge], basis: LineBasis) -> LinePrice:
    """Return the price of a line made of ``charges``; an empty line costs nothing."""
    if not charges:
        return LinePrice(NOTHING, basis.rate or basis.fee or NOTHING, NOTHING)
    if basis.kind == "expense":
        return _price_expense(charges, basis)
    if basis.kind == "flat_fee":
        return _price_fee(charges, basis)
    return _price_time(in_order(charges), basis)


def as_product(basis: LineBasis, amount: Decimal, seconds: int) -> tuple[Decimal, Decimal]:
    """Return a quantity and a price that give ``amount``: hours at the rate where they do."""
    if basis.kind == "time" and basis.rate is not None and seconds > 0:
        hours = exact_hours(seconds)
        mode = RoundingMode(basis.rounding.money_mode)
        if round_money(EXACT.multiply(hours, basis.rate), basis.currency, mode) == amount:
            return hours, basis.rate
    return ONE, amount


def _price_expense(charges: Sequence[Charge], basis: LineBasis) -> LinePrice:
    exact = sum((charge.amount or NOTHING for charge in charges), NOTHING)
    amount, steps = _money(exact, basis)
    return LinePrice(ONE, amount, amount, roundings=steps)


def _price_fee(charges: Sequence[Charge], basis: LineBasis) -> LinePrice:
    if basis.fee is None:
        raise InvariantViolated("a flat fee line has no fee", charge=charges[0].charge_id)
    amount, steps = _money(basis.fee, basis)
    worked = sum(charge.worked_seconds for charge in charges)
    return LinePrice(ONE, amount, amount, worked_seconds=worked, roundings=steps)


def _price_time(charges: Sequence[Charge], basis: LineBasis) -> LinePrice:
    rate = basis.rate
    if rate is None:
        raise InvariantViolated("time has no rate to price it", charge=charges[0].charge_id)
    billed, steps, unbilled = _bill_groups(charges, basis)
    quantity = quantity_of(billed, basis.rounding, basis.carry_in_seconds, named=basis.policy)
    if quantity.hours == 0:
        cause = "below_quantity_unit" if billed else "below_step"
        return LinePrice(NOTHING, rate, NOTHING, unbilled=tuple(charges), cause=cause)
    amount, money_steps = time_amount(
        quantity.priced_seconds,
        rate,
        basis.currency,
        basis.rounding.money_mode,
        named=basis.policy,
    )
    left_out = {charge.charge_id for charge in unbilled}
    return LinePrice(
        quantity.hours,
        rate,
        amount,
        billed_seconds=billed,
        worked_seconds=sum(c.worked_seconds for c in charges if c.charge_id not in left_out),
        carry_out_seconds=quantity.carry_out_seconds,
        roundings=(*steps, *quantity.steps, *money_steps),
        unbilled=tuple(unbilled),
        cause="below_step",
    )


def _money(exact: Decimal, basis: LineBasis) -> tuple[Decimal, tuple[RoundingStep, ...]]:
    mode = basis.rounding.money_mode
    return money_amount(exact, basis.currency, mode, named=basis.policy)


def _bill_groups(
    charges: Sequence[Charge], basis: LineBasis
) -> tuple[int, list[RoundingStep], list[Charge]]:
    billed = 0
    steps: list[RoundingStep] = []
    unbilled: list[Charge] = []
    for of, group in rounding_groups(charges, basis.rounding).items():
        seconds = [charge.billable_seconds for charge in group]
        group_billed, group_steps = bill_group(seconds, basis.rounding, of, named=basis.policy)
        billed += group_billed
        if group_billed:
            steps += group_steps
        else:
            unbilled += group
    return billed, steps, unbilled


def rounding_groups(charges: Sequence[Charge], policy: RoundingPolicy) -> dict[str, list[Charge]]:
    """Return the charges of a line by what is added up before rounding, in their order."""
    groups: dict[str, list[Charge]] = {}
    for charge in charges:
        groups.setdefault(rounding_group(charge, policy), []).append(charge)
    return groups


def rounding_group(charge: Charge, policy: RoundingPolicy) -> str:
    """Return what is added up before rounding: the entry, a day's work, the line.

    A day is a person's on a task, unless the policy's key says otherwise. It never goes beyond a
    line: work of another price, item, job or project is rounded by itself.
    """
    if policy.scope is RoundingScope.ENTRY:
        return f"charge {charge.charge_id}"
    if policy.scope is RoundingScope.DAY:
        parts = [str(charge.work_date)]
        parts += [getattr(charge, name) or "-" for name in day_key(policy)]
        return f"day {' '.join(parts)}"
    return "line"


def day_key(policy: RoundingPolicy) -> tuple[str, ...]:
    """Return whose work of a day is added up."""
    return DEFAULT_DAY_KEY if policy.day_key is None else policy.day_key
