"""Which changes are tried, and which tests judge them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools.mutation.config import (
    EXPORTS,
    NOISE,
    ROOT,
    RULES,
    chosen,
    is_idle,
    judges_of,
    rule_modules,
    session_config,
)

INCREMENTS = RULES / "increments.py"


def test_every_rule_module_can_be_chosen() -> None:
    modules = rule_modules()
    assert INCREMENTS in modules
    assert RULES / "journal/legs.py" in modules
    assert not [module for module in modules if module.name == "__init__.py"]
    assert chosen(modules, []) == modules
    assert chosen(modules, ["increments", "journal/legs.py", "increments"]) == [
        INCREMENTS,
        RULES / "journal/legs.py",
    ]
    with pytest.raises(ValueError, match="nothing_like_it"):
        chosen(modules, ["nothing_like_it"])


def test_tests_that_name_a_module_judge_it_first() -> None:
    first, others = judges_of(INCREMENTS, ROOT)
    assert "test_increments.py" in {path.name for path in first}
    assert EXPORTS not in first + others
    assert not set(first) & set(others)
    assert EXPORTS in judges_of(RULES / "journal/hledger.py", ROOT)[0]


def test_the_configuration_is_one_that_can_be_read() -> None:
    judges = [Path("a.py"), Path("b.py")], [Path("c.py")]
    read = tomllib.loads(session_config(INCREMENTS, judges, "python"))
    assert read["cosmic-ray"]["module-path"] == str(INCREMENTS)
    command = read["cosmic-ray"]["test-command"]
    assert re.fullmatch(r"bash -c 'python .* a\.py b\.py && python .* c\.py'", command)
    assert tuple(read["cosmic-ray"]["filters"]["operators-filter"]["exclude-operators"]) == NOISE


@pytest.mark.parametrize(
    ("operator", "is_noise"),
    [
        ("core/ReplaceBinaryOperator_Add_Sub", False),
        ("core/ReplaceBinaryOperator_Add_Mul", True),
        ("core/ReplaceBinaryOperator_Mul_Div", False),
        ("core/ReplaceBinaryOperator_BitOr_Add", True),
        ("core/ReplaceComparisonOperator_Lt_LtE", False),
        ("core/ReplaceComparisonOperator_Eq_Is", True),
        ("core/ReplaceComparisonOperator_Is_IsNot", False),
        ("core/ReplaceComparisonOperator_IsNot_Is", False),
        ("core/ReplaceComparisonOperator_IsNot_Eq", True),
        ("core/NumberReplacer", False),
    ],
)
def test_what_says_nothing_more_is_left_out(operator: str, is_noise: bool) -> None:
    assert any(re.match(pattern, operator) for pattern in NOISE) is is_noise


@pytest.mark.parametrize(
    ("operator", "row", "expected"),
    [
        ("core/ReplaceBinaryOperator_Mul_Div", "-def f(a: int, *, b: int) -> int:", True),
        ("core/ReplaceBinaryOperator_Mul_Div", "-    *,", True),
        ("core/ReplaceBinaryOperator_Mul_Div", "-    return a * b, c", False),
        ("core/ReplaceTrueWithFalse", "-@dataclass(frozen=True)", True),
        ("core/ReplaceTrueWithFalse", "-    pairs = zip(a, b, strict=True)", True),
        ("core/ReplaceTrueWithFalse", "-    return True", False),
        ("core/NumberReplacer", "-@dataclass(frozen=True)", False),
    ],
)
def test_what_can_do_nothing_is_not_counted(operator: str, row: str, expected: bool) -> None:
    assert is_idle(operator, f"--- a/{INCREMENTS}\n+++ b/{INCREMENTS}\n{row}\n+x") is expected
