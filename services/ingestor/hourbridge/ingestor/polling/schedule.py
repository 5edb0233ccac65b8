"""When a feed is read next: pure rules, and ``wake``, which makes a feed due now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.store.rows import statement
from hourbridge.common.zones import zone_of

Cadence = Literal["adaptive", "fixed", "daily", "weekly"]

FAILURE_SECONDS = 30
"""The pause after a first failure; it doubles with each further one."""
FAILURE_SECONDS_MAX = 3600
_DAYS_OF_WEEK = 7

_WAKE = statement(
    """
    UPDATE polled_feed SET
        next_due_at = least(next_due_at, coalesce(CAST(:now AS timestamptz), now())),
        wake_requested_at = coalesce(CAST(:now AS timestamptz), now()), wake_reason = :reason
    WHERE book = :book AND source = :source AND feed = :feed
    """
)


@dataclass(frozen=True)
class Schedule:
    """How often a feed is read."""

    cadence: Cadence
    interval_seconds: int
    """The shortest pause; of a fixed cadence, the only one."""
    interval_seconds_max: int
    """What an adaptive pause doubles up to."""
    at_time: time | None = None
    """Of daily and weekly cadences, in local time."""
    weekday: int | None = None
    """1 is Monday; of weekly cadences."""
    zone: str | None = None

    def check(self) -> None:
        """Raise ConfigurationInvalid, naming what is wrong or missing."""
        if self.interval_seconds < 1 or self.interval_seconds_max < self.interval_seconds:
            raise ConfigurationInvalid("an interval is at least 1 s and at most its maximum")
        if self.cadence in ("daily", "weekly"):
            if self.at_time is None:
                raise ConfigurationInvalid(f"a {self.cadence} cadence needs a time of day")
            if self.zone is None or zone_of(self.zone) is None:
                raise ConfigurationInvalid(f"a {self.cadence} cadence needs the book's IANA zone")
        if self.cadence == "weekly" and not 1 <= (self.weekday or 0) <= _DAYS_OF_WEEK:
            raise ConfigurationInvalid("a weekly cadence needs a weekday from 1, Monday, to 7")


@dataclass(frozen=True)
class Rest:
    """What follows a reading: the pause that the feed has come to, and when it is due."""

    interval_now_seconds: int
    next_due_at: datetime


def rest_after(
    schedule: Schedule,
    interval_now_seconds: int,
    *,
    changed: bool,
    started: datetime,
    now: datetime,
) -> Rest:
    """Return when to read again after a reading that ended ``now``."""
    shortest = schedule.interval_seconds
    if schedule.cadence == "adaptive":
        doubled = min(interval_now_seconds * 2, schedule.interval_seconds_max)
        seconds = shortest if changed else max(shortest, doubled)
        return Rest(seconds, now + timedelta(seconds=seconds))
    if schedule.cadence == "fixed":
        # From its beginning: a cadence must not drift by what reading takes.
        return Rest(shortest, max(now, started + timedelta(seconds=shortest)))
    return Rest(shortest, next_local(schedule, now))


def next_local(schedule: Schedule, after: datetime) -> datetime:
    """Return the next instant of a daily or weekly cadence, later than ``after``.

    A time of day that clocks skip comes as much later; one that they repeat counts once.
    """
    schedule.check()
    zone = zone_of(schedule.zone or "")
    today = after.astimezone(zone).date()
    for days in range(_DAYS_OF_WEEK + 2):
        day = today + timedelta(days=days)
        if schedule.cadence == "weekly" and day.isoweekday() != schedule.weekday:
            continue
        due = datetime.combine(day, schedule.at_time or time(), zone).astimezone(UTC)
        if due > after:
            return due
    raise ConfigurationInvalid("the cadence names no instant")


def begin(schedule: Schedule, now: datetime) -> Rest:
    """Return when a feed is due whose schedule has just been set: at once, or at its hour."""
    if schedule.cadence in ("daily", "weekly"):
        return Rest(schedule.interval_seconds, next_local(schedule, now))
    return Rest(schedule.interval_seconds, now)


def failure_pause(failures: int) -> timedelta:
    """Return the pause after the ``failures``-th failure in a row."""
    seconds = FAILURE_SECONDS * 2 ** min(max(failures - 1, 0), 16)
    return timedelta(seconds=min(seconds, FAILURE_SECONDS_MAX))


def wake(
    connection: Connection,
    *,
    book: str,
    source: str,
    feed: str,
    reason: str,
    entity: str | None = None,
    entity_id: str | None = None,
    now: datetime | None = None,
) -> bool:
    """Make a feed due now, in the caller's transaction; False when there is no such feed.

    A reading in progress is followed by another one: it may have passed what changed. A pause
    that the source asked for, or that follows a failure, still holds. ``now`` is the database's
    unless a clock tells it.
    """
    told = " ".join(part for part in (reason, entity, entity_id) if part)
    parameters: dict[str, Any] = {"book": book, "source": source, "feed": feed, "now": now}
    return connection.execute(_WAKE, {**parameters, "reason": told[:200]}).rowcount == 1


def changed(schedule: Schedule, **changes: Any) -> Schedule:
    """Return a schedule with those of ``changes`` that are not None; raises if it can't hold."""
    new = replace(schedule, **{name: value for name, value in changes.items() if value is not None})
    if "interval_seconds" in changes and changes.get("interval_seconds_max") is None:
        new = replace(new, interval_seconds_max=max(new.interval_seconds_max, new.interval_seconds))
    new.check()
    return new
