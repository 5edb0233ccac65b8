"""The General Decimal Arithmetic test cases that come with CPython, for every rounding mode.

http://speleotrove.com/decimal: one file per operation, directives for precision and rounding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_05UP, Context, Decimal, InvalidOperation
from pathlib import Path

import pytest

from hourbridge.common.money import RoundingMode, round_digits, round_to_step
from tests.support.provisioning import give_up

_CASE = re.compile(r"(\w+)\s+(\w+)\s+(.+?)\s+->\s+(\S+)\s*(.*)")
_DIRECTIVE = re.compile(r"(\w+):\s*(\S+)")
_COMMENT = re.compile(r"--.*")
_EXACT_DIGITS = 60
"""What our exact context holds: amounts of more digits are no amounts."""
_EXPONENT_MAX = 1000
"""Units beyond this are of no currency."""
_WIDE = Context(prec=1000, rounding=ROUND_05UP, Emin=-999_999, Emax=999_999)
_NOT_ROUNDED_ALONE = {"Overflow", "Underflow", "Subnormal", "Clamped", "Invalid_operation"}


@dataclass(frozen=True)
class Case:
    """One line of a test file, with the directives that hold for it."""

    name: str
    operation: str
    operands: tuple[str, ...]
    result: str
    conditions: frozenset[str]
    rounding: str


def cases_of(file: Path) -> Iterator[Case]:
    rounding = ""
    for text in file.read_text(encoding="latin-1").splitlines():
        plain = _COMMENT.sub("", text).strip()
        found = _CASE.fullmatch(plain)
        if found:
            name, operation, operands, result, conditions = found.groups()
            yield Case(
                name,
                operation.lower(),
                tuple(each.strip("'\"") for each in operands.split()),
                result.strip("'\""),
                frozenset(conditions.split()),
                rounding,
            )
        directive = _DIRECTIVE.fullmatch(plain)
        if directive and directive[1].lower() == "rounding":
            rounding = directive[2].lower()


@pytest.fixture(scope="module")
def folder() -> Path:
    """The test files of the Python that runs this, or of any other one on this machine."""
    import test as standard_tests

    homes = [Path(place) for place in standard_tests.__path__]
    homes += Path.home().glob(".pyenv/versions/*/lib/python3*/test")
    homes += Path("/usr/lib").glob("python3*/test")
    found = [home / "decimaltestdata" for home in homes]
    kept = next((each for each in found if (each / "quantize.decTest").is_file()), None)
    if kept is None:
        give_up("CPython's decimal test files", "install Debian's libpython3-testsuite")
    return kept


def number(text: str) -> Decimal | None:
    """Return a finite number, None for anything else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def is_ours(case: Case) -> bool:
    return case.rounding in set(RoundingMode) and not case.conditions & _NOT_ROUNDED_ALONE


def exponent(value: Decimal) -> int:
    found = value.as_tuple().exponent
    assert isinstance(found, int)
    return found


def fits(value: Decimal, unit_exponent: int) -> bool:
    return (
        abs(unit_exponent) < _EXPONENT_MAX
        and max(value.adjusted(), 0) - unit_exponent < _EXACT_DIGITS - 1
    )


def test_every_quantize_case(folder: Path) -> None:
    done: Counter[str] = Counter()
    for case in cases_of(folder / "quantize.decTest"):
        value, unit, result = map(number, (*case.operands, case.result))
        if value is None or unit is None or result is None or not is_ours(case):
            continue
        if not fits(value, exponent(unit)):
            continue
        mode = RoundingMode(case.rounding)
        assert round_digits(value, -exponent(unit), mode).compare_total(result) == 0, case
        step = Decimal(1).scaleb(exponent(unit))
        if abs(exponent(unit)) < _EXACT_DIGITS:
            assert round_to_step(value, step, mode) == result, case
        done[case.rounding] += 1
    assert done["half_up"] > 450, done


def test_every_rescale_case(folder: Path) -> None:
    done = 0
    for case in cases_of(folder / "rescale.decTest"):
        value, digits, result = map(number, (*case.operands, case.result))
        if value is None or digits is None or result is None or not is_ours(case):
            continue
        if digits != digits.to_integral_value() or not fits(value, int(digits)):
            continue
        found = round_digits(value, -int(digits), RoundingMode(case.rounding))
        assert found.compare_total(result) == 0, case
        done += 1
    assert done > 350, done


def test_every_integral_case(folder: Path) -> None:
    done: Counter[str] = Counter()
    for case in cases_of(folder / "tointegral.decTest"):
        value, result = map(number, (*case.operands, case.result))
        if value is None or result is None or not is_ours(case) or not fits(value, 0):
            continue
        found = round_to_step(value, Decimal(1), RoundingMode(case.rounding))
        assert found == result, case
        done[case.rounding] += 1
    assert set(done) >= {"half_up", "half_even", "half_down", "up", "down", "floor", "ceiling"}
    assert done.total() > 80, done


def test_every_rounding_case(folder: Path) -> None:
    """The same operands under each mode; what is exact before is rounded once, by us."""
    done: Counter[str] = Counter()
    operations = {
        "add": _WIDE.add,
        "subtract": _WIDE.subtract,
        "multiply": _WIDE.multiply,
        "divide": _WIDE.divide,
        "plus": _WIDE.plus,
        "minus": _WIDE.minus,
        "abs": _WIDE.abs,
    }
    for case in cases_of(folder / "rounding.decTest"):
        operands = [number(text) for text in case.operands]
        result = number(case.result)
        if result is None or None in operands or not is_ours(case):
            continue
        if case.operation not in operations:
            continue
        exact = operations[case.operation](*operands)
        if not fits(exact, exponent(result)):
            continue
        found = round_digits(exact, -exponent(result), RoundingMode(case.rounding))
        assert found == result, case
        done[case.rounding] += 1
    assert set(done) == {mode.value for mode in RoundingMode}
    assert min(done.values()) >= 60, done
    assert done.total() > 500
