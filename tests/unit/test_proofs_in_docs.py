"""Pages that name tests as proof name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_PROOF = re.compile(r"`((?:libs|services|cli|sandbox|tests)/[\w/]+\.py)(?:::(\w+))?`")


def proofs() -> list[tuple[str, str, str | None]]:
    """Return every test that a page names, with the page."""
    return [
        (page.relative_to(ROOT).as_posix(), file, name or None)
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for file, name in _PROOF.findall(page.read_text(encoding="utf-8"))
    ]


def test_there_are_proofs() -> None:
    assert len(proofs()) > 30


@pytest.mark.parametrize(("page", "file", "name"), proofs())
def test_a_named_test_exists(page: str, file: str, name: str | None) -> None:
    path = ROOT / file
    assert path.is_file(), f"{page} names {file}"
    if name is not None:
        defined = re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert defined, f"{page} names {file}::{name}"
