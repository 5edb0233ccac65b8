"""Time policies that can't do what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hourbridge.common.book import BookConfiguration
from hourbridge.mapper.rules.findings import Finding, warning
from hourbridge.mapper.rules.names import normal


def check_time(book: BookConfiguration) -> Iterator[Finding]:
    """Find people who are in two places at once, and days of zones that nobody names."""
    named = Counter(normal(each.staff) for each in book.time.staff_zones)
    for index, each in enumerate(book.time.staff_zones):
        if named[normal(each.staff)] > 1:
            where = f"time.staff_zones[{index}]"
            yield Finding("duplicate_rule", where, f"{each.staff!r} stands here more than once")
    yield from _nowhere(book)


def _nowhere(book: BookConfiguration) -> Iterator[Finding]:
    whose = book.time.work_day
    zones = [client.zone for client in book.clients]
    if whose == "project":
        zones += [project.zone for project in book.projects]
    if whose in ("client", "project") and not any(zones):
        detail = f"no {whose} has a zone: all work counts on the company's days ({book.zone})"
        yield warning("no_zones", "time.work_day", detail)
