"""Reads the numbers of a file beside this one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def cases(name: str, kind: str) -> list[Any]:
    """Return the cases of one kind in ``name``.json; numbers with a point are text there."""
    found: list[Any] = json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8"))[kind]
    assert found, f"{name}.json has no {kind}"
    return found


def decimals(texts: list[str]) -> list[Decimal]:
    """Return texts as numbers."""
    return [Decimal(text) for text in texts]
