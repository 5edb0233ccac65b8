"""Token buckets: how many calls may be made when, and whose turn is first. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hourbridge.connectors.access import Caller

MINUTE_SECONDS = 60
_BURST_SHARE = 10
"""A tenth of the limit may come at once; in no window do calls exceed it by more than that."""
_KEPT_FREE: dict[Caller, int] = {"posting": 0, "lists": 2, "reading": 5, "history": 10}
"""Calls of the minute's burst that each kind of caller leaves to more urgent ones."""
_SPARE_NEEDED: dict[Caller, int] = {"posting": 0, "lists": 1, "reading": 2, "history": 3}
SPARE_SHARE = 5
"""A fifth of the limit is left to the less urgent even while the urgent could use it all."""
_SPARE_BURST = 5


@dataclass(frozen=True)
class Bucket:
    """Calls that may be made at once; negative while callers wait for their turn."""

    tokens: float
    limit: int
    window_seconds: int

    @property
    def capacity(self) -> int:
        """How many calls may come at once."""
        return max(1, self.limit // _BURST_SHARE)

    @property
    def wait_seconds(self) -> float:
        """How long the last caller to draw waits."""
        return self.seconds_until(0)

    def seconds_until(self, tokens: float) -> float:
        """Return how long it takes until the bucket holds so many."""
        return max(0.0, (tokens - self.tokens) * self.window_seconds / self.limit)

    def refilled(self, elapsed_seconds: float, *, capacity: int | None = None) -> Bucket:
        """Return the bucket after some time."""
        tokens = self.tokens + elapsed_seconds * self.limit / self.window_seconds
        most = self.capacity if capacity is None else capacity
        return replace(self, tokens=min(most, tokens))

    def less_one(self) -> Bucket:
        """Return the bucket after one more call."""
        return replace(self, tokens=self.tokens - 1)

    def draw(self, elapsed_seconds: float) -> Bucket:
        """Return the bucket after some time and one more call."""
        return self.refilled(elapsed_seconds).less_one()


@dataclass(frozen=True)
class Buckets:
    """All limits of a company, as of one moment."""

    minute: Bucket
    second: Bucket
    drawn_at: datetime
    batch: Bucket | None = None
    """Of calls that carry many operations; they count in the others as well."""
    spare: Bucket | None = None
    """What less urgent callers are sure of."""

    def at(self, now: datetime) -> Buckets:
        """Return the state at ``now``."""
        elapsed = max(0.0, (now - self.drawn_at) / timedelta(seconds=1))
        return Buckets(
            self.minute.refilled(elapsed),
            self.second.refilled(elapsed),
            max(now, self.drawn_at),
            self.batch.refilled(elapsed) if self.batch else None,
            self.spare.refilled(elapsed, capacity=_SPARE_BURST) if self.spare else None,
        )

    def draw(self, now: datetime, *, is_batch: bool = False) -> Buckets:
        """Return the state after one more call at ``now``."""
        return self.at(now).less_one(is_batch=is_batch)

    def less_one(self, *, is_batch: bool = False) -> Buckets:
        """Return the state after one more call."""
        batch = self.batch.less_one() if self.batch and is_batch else self.batch
        minute, second = self.minute.less_one(), self.second.less_one()
        return replace(self, minute=minute, second=second, batch=batch)

    @property
    def wait_seconds(self) -> float:
        """How long the last caller to draw waits for the minute and the second."""
        return max(self.minute.wait_seconds, self.second.wait_seconds)

    def wait_of(self, *, is_batch: bool) -> float:
        """Return how long the last caller to draw waits for all that it needs."""
        batch = self.batch.wait_seconds if self.batch and is_batch else 0.0
        return max(self.wait_seconds, batch)

    def yields(self, caller: Caller) -> float:
        """Return how long a caller leaves the turns to more urgent ones; 0: it is its turn.

        Documents line up at once. Others line up only when nobody waits and something of the
        burst is left, so a document finds at most one call before it; what documents leave, the
        others use up.
        """
        if caller == "posting":
            return 0.0
        kept_free = min(_KEPT_FREE[caller], self.minute.capacity // 2)
        return max(self.second.seconds_until(0), self.minute.seconds_until(kept_free))

    def admit(self, caller: Caller) -> Buckets | None:
        """Return the state in which a caller may draw now, None while it is not its turn.

        A less urgent caller that would have to leave its turn goes all the same when less than
        their share came to the less urgent of late.
        """
        if caller == "posting" or self.spare is None:
            return self
        if self.yields(caller) > 0:
            if self.spare.tokens < _SPARE_NEEDED[caller]:
                return None
            return replace(self, spare=self.spare.less_one())
        rest = max(0.0, self.spare.tokens - 1)
        return replace(self, spare=replace(self.spare, tokens=rest))
