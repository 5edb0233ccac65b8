"""What a check of a book configuration finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong (it must not be applied) or doubtful (it may) with a configuration."""

    code: str
    where: str
    """The path in the document: ``clients[3]``, ``rates.rules[0]``."""
    detail: str
    severity: Literal["problem", "warning"] = "problem"


def warning(code: str, where: str, detail: str) -> Finding:
    """Return a doubt."""
    return Finding(code, where, detail, "warning")
