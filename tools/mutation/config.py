"""What is changed, how, and which tests judge it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = Path("libs/billing/hourbridge/billing")
TESTS = Path("libs/billing/tests")
EXPORTS = TESTS / "test_journal_exports.py"
"""Runs hledger and beancount: slow, and about the writers alone."""
_WRITERS = {"beancount", "hledger", "presentation"}
_SECONDS_MAX = 180

NOISE = (
    # Annotations are unions too; nothing evaluates them.
    r"core/ReplaceBinaryOperator_BitOr_.*",
    # One wrong operator for each right one says as much as ten.
    r"core/ReplaceBinaryOperator_Add_(?!Sub$).*",
    r"core/ReplaceBinaryOperator_Sub_(?!Add$).*",
    r"core/ReplaceBinaryOperator_Mul_(?!Div$).*",
    r"core/ReplaceBinaryOperator_Div_(?!Mul$).*",
    r"core/ReplaceBinaryOperator_BitAnd_(?!BitOr$).*",
    r"core/ReplaceBinaryOperator_(FloorDiv|Mod|Pow|RShift|LShift|BitXor)_(?!Mul$).*",
    r"core/ReplaceComparisonOperator_(Is|IsNot)_(?!Is$|IsNot$).*",
    r"core/ReplaceComparisonOperator_.*_(Is|IsNot)(?<!Is_IsNot)(?<!IsNot_Is)$",
    r"core/ReplaceUnaryOperator_.*_Invert",
)

_IDLE = (
    # The marker of named parameters looks like a product.
    ("ReplaceBinaryOperator_Mul_", re.compile(r"(^-\s*|[(,]\s*)\*,")),
    # Nothing is changed after it was made, and lists of one length stay of one length.
    ("ReplaceTrueWithFalse", re.compile(r"@dataclass\(|\bstrict=True")),
)


def is_idle(operator: str, diff: str) -> bool:
    """Return whether a change can't do anything: no test could notice it."""
    removed = [row for row in diff.splitlines() if row[:1] == "-" and row[:3] != "---"]
    return any(
        name in operator and any(pattern.search(row) for row in removed) for name, pattern in _IDLE
    )


def rule_modules(root: Path = ROOT) -> list[Path]:
    """Return all modules that hold rules, as paths below ``root``."""
    found = (root / RULES).rglob("*.py")
    return sorted(path.relative_to(root) for path in found if path.name != "__init__.py")


def chosen(modules: Sequence[Path], names: Iterable[str]) -> list[Path]:
    """Return the modules whose path ends with one of ``names``; all when none is given.

    Raises ValueError for a name that means none.
    """
    wanted = [name.removesuffix(".py") for name in names]
    if not wanted:
        return list(modules)
    found = []
    for name in wanted:
        matching = [m for m in modules if m.with_suffix("").as_posix().endswith(f"/{name}")]
        if not matching:
            raise ValueError(f"no rule module is called {name}")
        found += matching
    return sorted(set(found))


def judges_of(module: Path, root: Path) -> tuple[list[Path], list[Path]]:
    """Return the test files that name the module, which notice most and soonest, and the others."""
    files = sorted(path.relative_to(root) for path in (root / TESTS).rglob("test_*.py"))
    kept = [path for path in files if path != EXPORTS or module.stem in _WRITERS]
    dotted = ".".join(module.with_suffix("").parts[module.parts.index("hourbridge") :])
    naming = re.compile(rf"\b{re.escape(dotted)}\b")
    first = [path for path in kept if naming.search((root / path).read_text(encoding="utf-8"))]
    return first, [path for path in kept if path not in first]


def session_config(module: Path, judges: tuple[Sequence[Path], Sequence[Path]], python: str) -> str:
    """Return cosmic-ray's configuration for one module; who fails first spares the others."""
    pytest = "-m pytest -x -q --no-header -p no:cacheprovider --hypothesis-profile=mutation"
    runs = [f"{python} {pytest} {' '.join(map(str, files))}" for files in judges if files]
    command = f"bash -c '{' && '.join(runs)}'"
    noise = ",\n".join(f"  '{pattern}'" for pattern in NOISE)
    return f"""[cosmic-ray]
module-path = "{module}"
timeout = {_SECONDS_MAX}.0
excluded-modules = []
test-command = "{command}"

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = [
{noise}
]
"""
