"""Which days a reading covers, and in how many calls; and what the connection's filters say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.common.messages.records import ApprovalState
from hourbridge.common.zones import zone_of
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.source import Span

NOT_APPROVED = "not_approved"
BEFORE_START = "before_start"
OTHER_PROJECT = "other_project"
OTHER_PERSON = "other_person"
UNSUBMITTED = "unsubmitted"

_PASSED = (ApprovalState.APPROVED, ApprovalState.NOT_REQUIRED)


def regular_span(now: datetime, settings: BigTimeSettings, days: int) -> Span:
    """Return the rolling window, by the firm's calendar; entries may lie some days ahead."""
    zone = zone_of(settings.zone) if settings.zone else None
    today = now.astimezone(zone or ZoneInfo("UTC")).date()
    first = today - timedelta(days=days)
    if settings.not_before is not None:
        first = min(max(first, settings.not_before), today)
    return Span(first, today + timedelta(days=settings.days_ahead))


def steps(span: Span, days: int) -> list[Span]:
    """Return a span cut into parts of at most so many days, oldest first."""
    found = []
    first = span.first
    while first <= span.last:
        last = min(first + timedelta(days=days - 1), span.last)
        found.append(Span(first, last))
        first = last + timedelta(days=1)
    return found


def left_out(fields: Mapping[str, Any], day: date | None, settings: BigTimeSettings) -> str | None:
    """Return why a connection's filters leave an entry out, None when they let it in."""
    if settings.projects and fields.get("project_id") not in settings.projects:
        return OTHER_PROJECT
    if settings.staff and fields.get("staff_id") not in settings.staff:
        return OTHER_PERSON
    if settings.not_before is not None and day is not None and day < settings.not_before:
        return BEFORE_START
    if settings.approved_only and fields.get("approval", {}).get("state") not in _PASSED:
        return NOT_APPROVED
    return None
