"""Where a statement stands among those about the same thing: update times tell seconds only.

Toggl's ``at`` has whole seconds, and a person can change an entry twice in one. Within a second
the later look wins: the time from ``at`` to when the state was seen, in milliseconds, is the
rest of the key. What a reading sees once the second is over is that second's last state; what is
deleted stays deleted. So pushed and polled statements agree, whichever comes first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hourbridge.connectors.json_rows import seconds_since_epoch

_MICROSECONDS = 1_000_000
_SEEN_MAX = 999_997
_FINAL = 999_998
_DELETED = 999_999
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def order_key(
    at: datetime, seen_at: datetime | None, *, is_polled: bool, is_deleted: bool = False
) -> int:
    """Return the key: ``at`` in microseconds, whose fraction tells when the state was seen.

    ``seen_at`` is when the event was made or the reading began, by the same clock as ``at`` or
    nearly; None: unknown.
    """
    second = seconds_since_epoch(at)
    if is_deleted:
        return second * _MICROSECONDS + _DELETED
    if seen_at is None:
        return second * _MICROSECONDS
    since = seen_at - at.replace(microsecond=0)
    if is_polled and since >= 2 * _SECOND:  # one for clocks that differ
        return second * _MICROSECONDS + _FINAL
    return second * _MICROSECONDS + max(0, min(since // _MILLISECOND, _SEEN_MAX))
