"""What the project declares, what is resolved and what the code imports are one list."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDED_UNSEEN = {"psycopg2-binary", "tzdata"}
"""SQLAlchemy's driver and the zones' data: used without being imported by name."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def names(requirements: list[str]) -> set[str]:
    return {normal(re.split(r"[^A-Za-z0-9._-]", each)[0]) for each in requirements}


def imported_modules() -> Iterator[str]:
    for folder in ("libs", "services", "cli", "sandbox"):
        for path in (ROOT / folder).rglob("hourbridge/**/*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module


def test_project_and_requirements_declare_the_same() -> None:
    lines = (ROOT / "requirements/runtime.in").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == declared()


def test_everything_declared_is_locked() -> None:
    lock = (ROOT / "requirements/runtime.lock").read_text(encoding="utf-8")
    locked = {normal(name) for name in re.findall(r"^([\w.-]+)==", lock, flags=re.M)}
    assert names(declared()) <= locked


def test_what_is_imported_is_declared_and_the_other_way_round() -> None:
    distributions = packages_distributions()
    tops = {module.partition(".")[0] for module in imported_modules()}
    third_party = tops - set(sys.stdlib_module_names) - {"hourbridge", "opentelemetry"}
    needed = {normal(distributions[top][0]) for top in third_party} - {"pydantic-core"}
    telemetry = {name for name in names(declared()) if name.startswith("opentelemetry")}

    assert needed | telemetry | NEEDED_UNSEEN == names(declared())
