"""The routes of time entries."""

from __future__ import annotations

from datetime import date, timedelta

from hourbridge.sandbox.bigtime import time_work
from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.refusals import forbidden, invalid
from hourbridge.sandbox.bigtime.time_book import TimeEntry
from hourbridge.sandbox.bigtime.time_views import entry_view, totals_by_day
from hourbridge.sandbox.bigtime.values import Row, lowered


def time_routes() -> list[Route]:
    """Return the routes; a timesheet has no paging, the span alone bounds it."""
    return [
        Route("GET", "time/sheet/{}", _sheet),
        Route("GET", "time/sheet", _sheet),
        Route("GET", "time/byproject/{}", _by_project),
        Route("GET", "time/totalbyday/{}", _totals),
        Route("GET", "time/periodcontainingdate", _period),
        Route("GET", "time/index/{}", _item),
        Route("GET", "time/{}", _item),
        Route("POST", "time", _create),
        Route("POST", "time/index", _create),
        Route("POST", "time/index/{}", _update),
        Route("POST", "time/reportbyfilter", _no_filter),
        Route("POST", "time/{}", _update),
        Route("DELETE", "time/index/{}", _delete),
        Route("DELETE", "time/{}", _delete),
    ]


def period_of(day: date, period: str) -> tuple[date, date]:
    """Return the timesheet period with a day; weeks begin on Sunday."""
    if period == "weekly":
        first = day - timedelta(days=(day.weekday() + 1) % 7)
        return first, first + timedelta(days=6)
    if period == "bi-weekly":
        first = day - timedelta(days=(day.toordinal()) % 14)
        return first, first + timedelta(days=13)
    next_month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    if period == "semi-monthly":
        first = day.replace(day=1 if day.day <= 15 else 16)
        return first, next_month - timedelta(days=1) if day.day > 15 else day.replace(day=15)
    return day.replace(day=1), next_month - timedelta(days=1)


def _shown(asked: Asked, entries: list[TimeEntry]) -> list[Row]:
    return [entry_view(asked.firm, entry, detailed=asked.is_detailed) for entry in entries]


def _sheet(asked: Asked) -> list[Row]:
    staff = asked.staffer(asked.identity() or asked.number("StaffSid"))
    return _shown(asked, asked.firm.time.of_staffer(staff, *asked.span()))


def _by_project(asked: Asked) -> list[Row]:
    entries = asked.firm.time.of_project(asked.identity(), *asked.span())
    if not asked.caller.is_admin:
        entries = [entry for entry in entries if entry.staff == asked.caller.staff_sid]
    if asked.text("IsApproved") is not None:
        wanted = asked.flag("IsApproved")
        entries = [entry for entry in entries if (entry.state == "approved") == wanted]
    return _shown(asked, entries)


def _totals(asked: Asked) -> list[Row]:
    return totals_by_day(asked.firm, asked.staffer(asked.identity()), *asked.span())


def _period(asked: Asked) -> Row:
    day = asked.day("Dt") or asked.day("Date") or asked.firm.today()
    first, last = period_of(date.fromisoformat(day), asked.firm.settings.period)
    return {"StartDt": first.isoformat(), "EndDt": last.isoformat()}


def _no_filter(_asked: Asked) -> Row:
    """Refuse what expenses have and time does not: callers of the service got 400."""
    raise invalid("The request is invalid.")


def _own(asked: Asked) -> TimeEntry:
    entry = time_work.need(asked.firm, asked.identity())
    if asked.staffer(entry.staff) != entry.staff:
        raise forbidden("see or change the time of others")
    return entry


def _item(asked: Asked) -> Row:
    return entry_view(asked.firm, _own(asked), detailed=True)


def _create(asked: Asked) -> Row:
    body = asked.fields()
    sid = lowered(body).get("sid")
    if sid not in (None, 0, "0", ""):
        raise invalid("A new entry has SID 0; POST time/{sid} changes an existing one.")
    if not asked.caller.is_admin:
        body = {**lowered(body), "staffsid": asked.caller.staff_sid}
    entry = time_work.create(asked.firm, body, submitted=asked.flag("MarkSubmitted"))
    return entry_view(asked.firm, entry, detailed=True)


def _update(asked: Asked) -> Row:
    entry, body = _own(asked), lowered(asked.fields())
    if not asked.caller.is_admin:
        body.pop("staffsid", None)
    time_work.update(asked.firm, entry, body, by_admin=asked.caller.is_admin)
    if asked.flag("MarkSubmitted"):
        time_work.submit(asked.firm, [entry])
    return entry_view(asked.firm, entry, detailed=True)


def _delete(asked: Asked) -> Row:
    time_work.delete(asked.firm, _own(asked), by_admin=asked.caller.is_admin)
    return {"Deleted": True}
