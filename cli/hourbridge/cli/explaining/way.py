"""The way of a charge on its line, step by step: pure, from what documents carry.

Every step says what it began with, by whose policy, what it gave and what it took away or added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from hourbridge.common.money import EXACT, decimal_text

TIME_STEPS = ("minimum", "increment", "billable_part")
"""Steps in seconds that belong to what a rounding scope adds up; the others belong to the line."""
_HOUR_SECONDS = Decimal(3600)
Step = dict[str, Any]


def way(charge: Mapping[str, Any], line: Mapping[str, Any]) -> list[Step]:
    """Return the steps from a charge, as it was billed, to the amount of its line."""
    own = [step for step in line.get("roundings") or () if concerns(step, charge)]
    return [
        *_worked(charge),
        *_rounded_time(charge, own),
        *_shared(charge, line),
        *_priced(line, own),
        *_standing(line),
    ]


def concerns(step: Mapping[str, Any], charge: Mapping[str, Any]) -> bool:
    """Return whether a rounding step touched a charge: its own, its day's or the whole line's."""
    of = str(step["of"])
    if of.startswith("charge "):
        return of == f"charge {charge['charge_id']}"
    if of.startswith("day "):
        return of.startswith(f"day {charge['work_date']}")
    return True


def time_adds_up(charges: Sequence[Mapping[str, Any]], line: Mapping[str, Any]) -> bool:
    """Return whether billable time, less what the steps took away, is the time billed.

    Lines of expenses, fees and corrections bill no time of their own.
    """
    if not line.get("billed_seconds"):
        return True
    if line.get("credits_line_id") or line.get("supplements_line_id"):
        return True
    billable = sum(int(charge.get("billable_seconds") or 0) for charge in charges)
    taken = sum(
        (
            Decimal(step["before"]) - Decimal(step["after"])
            for step in line.get("roundings") or ()
            if step["step"] in TIME_STEPS
        ),
        Decimal(0),
    )
    capped = int(line.get("capped_seconds") or 0)
    return billable - taken - capped == int(line["billed_seconds"])


def money_adds_up(line: Mapping[str, Any]) -> bool:
    """Return whether quantity times price, and the rounding that was noted, give the amount.

    Lines that a discount, a person or a cap changed say that change themselves; corrections
    carry no steps, and their quantity says the amount to within the currency's smallest unit.
    """
    if any(line.get(name) for name in ("discount", "adjustment", "capped_amount")):
        return True
    amount = Decimal(line["amount"])
    noted = [step["after"] for step in line.get("roundings") or () if step["step"] == "money"]
    if any(Decimal(after) != amount for after in noted):
        return False
    product = EXACT.multiply(Decimal(line["quantity"]), Decimal(line["unit_price"]))
    unit = Decimal(1).scaleb(int(amount.as_tuple().exponent))
    difference = abs(product - amount)
    return difference < unit or (_is_correction(line) and difference == unit)


def _is_correction(line: Mapping[str, Any]) -> bool:
    return bool(line.get("credits_line_id") or line.get("supplements_line_id"))


def correction_way(
    line: Mapping[str, Any], original: Mapping[str, Any], number: str | None
) -> list[Step]:
    """Return how a credit or supplement changes the line that it corrects."""
    sign = -1 if line.get("credits_line_id") else 1
    billed = int(original.get("billed_seconds") or 0)
    change = sign * int(line.get("billed_seconds") or 0)
    place = f"line {original['position']} of {number}"
    steps = [_step("billed before", rule=place, result=str(original["amount"]))]
    if change:
        steps.append(_step("time", start=clock(billed), result=clock(billed + change)))
    what = "credited here" if sign < 0 else "added here"
    steps.append(_step(what, result=str(line["amount"])))
    return steps


def _worked(charge: Mapping[str, Any]) -> Iterator[Step]:
    if charge["kind"] == "expense":
        yield _step("cost rebilled", result=_money(charge["amount"], charge["currency"]))
        return
    worked, billable = int(charge["worked_seconds"]), int(charge["billable_seconds"])
    yield _step("worked", result=clock(worked))
    if worked == billable:
        return
    reason = (charge.get("write_down") or {}).get("reason")
    yield _step(
        "write-down" if billable < worked else "write-up",
        rule=reason or "as the source states it",
        start=clock(worked),
        result=clock(billable),
        residue=f"{worked - billable} s",
    )


def _rounded_time(charge: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """The roundings of time; where there was nothing to round, that is said as well."""
    steps = [step for step in own if step["step"] in TIME_STEPS]
    yield from map(_rounding, steps)
    policy = charge.get("rounding") or {}
    if not steps and charge["kind"] == "time" and policy.get("scope") == "entry":
        exact = clock(int(charge["billable_seconds"]))
        rule = f"{policy['mode']} to {policy['increment_seconds']} s: nothing to round"
        yield _step("increment", rule=rule, start=exact, result=exact, residue="0 s")


def _shared(charge: Mapping[str, Any], line: Mapping[str, Any]) -> Iterator[Step]:
    """The other charges of the line: their time is added before it is priced."""
    others = len(line.get("charge_ids") or ()) - 1
    if others > 0 and charge["kind"] == "time":
        rest = [step for step in line.get("roundings") or () if not concerns(step, charge)]
        steps = f", {len(rest)} roundings of their own" if rest else ""
        yield _step("added up", rule=f"with {others} more on the line{steps}")


def _priced(line: Mapping[str, Any], own: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    steps = [step for step in own if step["step"] not in TIME_STEPS]
    before = ["quantity", "cap"]
    if any(step["step"] == "cap" for step in steps):
        before.append("money")  # the whole was priced before the cap cut it
    for step in steps:
        if step["step"] in before:
            yield _rounding(step)
    if line.get("billed_seconds"):
        yield _step("billed", result=clock(int(line["billed_seconds"])))
    quantity, price = Decimal(line["quantity"]), Decimal(line["unit_price"])
    exact = EXACT.multiply(quantity, price)
    product = f"{decimal_text(quantity)} x {decimal_text(price)}"
    yield _step("price", start=product, result=_trimmed(exact))
    for step in steps:
        if step["step"] not in before:
            yield _rounding(step)


def _standing(line: Mapping[str, Any]) -> Iterator[Step]:
    if line.get("discount"):
        rule = "its part of the document's"
        yield _step("less discount", rule=rule, result=f"-{line['discount']}")
    adjustment = line.get("adjustment")
    if adjustment:
        by = f"{adjustment['reason']}, by {adjustment['by']}"
        yield _step("adjusted", rule=by, result=str(adjustment["amount"]))
    if line.get("capped_amount"):
        left = f"{line['capped_amount']} ({clock(int(line.get('capped_seconds') or 0))})"
        yield _step("held back", rule="by the cap, until it leaves room", residue=left)
    yield _step("line amount", result=str(line["amount"]))
    if line.get("tax_amount"):
        yield _step(
            "plus tax", rule=str(line.get("tax_code") or ""), result=str(line["tax_amount"])
        )
    if line.get("base_amount"):
        rate = (line.get("exchange") or {}).get("rate_id")
        yield _step(
            "in the book's currency",
            rule=f"rate {rate}" if rate else "the document's rate",
            result=str(line["base_amount"]),
        )


def _rounding(step: Mapping[str, Any]) -> Step:
    is_time = step["step"] in (*TIME_STEPS, "quantity")
    before, after = Decimal(step["before"]), Decimal(step["after"])
    return _step(
        str(step["step"]),
        rule=f"{step.get('policy') or 'policy'}: {step['mode']} to {step['unit']}",
        start=_seconds(before) if is_time else decimal_text(before),
        result=_seconds(after) if is_time else decimal_text(after),
        residue=decimal_text(before - after) + (" s" if is_time else ""),
    )


def clock(seconds: int) -> str:
    """Return a duration as hours, minutes and, if any, seconds."""
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else ""
    text = f"{sign}{minutes // 60}:{minutes % 60:02}"
    return f"{text}:{rest:02} h" if rest else f"{text} h"


def _trimmed(value: Decimal) -> str:
    """Return an exact value with two decimals at least, and no zeros beyond them."""
    short = value.quantize(Decimal("0.01")) if value == round(value, 2) else value.normalize()
    return decimal_text(short)


def _seconds(value: Decimal) -> str:
    if value == value.to_integral_value():
        return clock(int(value))
    return f"{decimal_text(EXACT.divide(value, _HOUR_SECONDS))} h"


def _money(amount: Any, currency: str) -> str:
    return f"{amount} {currency}"


def _step(
    what: str, *, rule: str = "", start: str = "", result: str = "", residue: str = ""
) -> Step:
    return {"step": what, "rule": rule, "from": start, "gives": result, "residue": residue}
