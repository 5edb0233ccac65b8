"""The four pages, and writing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hourbridge.cli.policy_documents.calendar_page import calendar_page
from hourbridge.cli.policy_documents.gathered import Gathered
from hourbridge.cli.policy_documents.mapping_page import mapping_page
from hourbridge.cli.policy_documents.rounding_page import rounding_page
from hourbridge.cli.policy_documents.time_page import time_page

PAGES: dict[str, Callable[[Gathered], str]] = {
    "mapping.md": mapping_page,
    "time-zone-policy.md": time_page,
    "rounding-policy.md": rounding_page,
    "billing-calendar.md": calendar_page,
}


def write_pages(facts: Gathered, folder: Path) -> list[Path]:
    """Write every page into ``folder``; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, page in PAGES.items():
        path = folder / name
        path.write_text(page(facts), encoding="utf-8")
        written.append(path)
    return written
