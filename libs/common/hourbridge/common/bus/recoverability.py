"""What becomes of a delivery that failed: a delay rung, the dead queue, or the suspect lane.

All pure: each function returns the message to publish; the worker publishes it with confirm and
only then acknowledges the delivery.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Delivery, Failure, HeaderValue, Outgoing
from hourbridge.common.bus.topology import DEAD_EXCHANGE, Rung, ServiceQueues
from hourbridge.common.clock import to_text
from hourbridge.common.errors import Disposition, HourbridgeError, MessageInvalid
from hourbridge.common.messages.envelope import CONTENT_TYPE

DEFECT = "defect"
KILLED_ITS_HOLDER = "killed_its_holder"
DELIVERY_LIMIT_REACHED = "delivery_limit"
HOLDERS_LOST_MAX = 2
"""From this many lost holders on, a message is handled alone; lost alone so often, it is dead."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and after which delays; the last rung is repeated."""

    rungs: Sequence[Rung]
    attempts_max: int = 8
    defect_attempts_max: int = 3
    """For exceptions nobody foresaw: they rarely pass by themselves."""

    def is_used_up(self, failure: Failure, failed_attempts: int) -> bool:
        """Return whether no attempt is left after ``failed_attempts``."""
        limit = self.attempts_max
        if failure.code == DEFECT:
            limit = min(limit, self.defect_attempts_max)
        return failed_attempts >= limit or not self.rungs

    def rung_after(self, failed_attempts: int) -> Rung:
        """Return the rung to wait on after ``failed_attempts``."""
        return self.rungs[min(failed_attempts, len(self.rungs)) - 1]


def classify(error: Exception) -> Failure:
    """Return what an exception means for the one message that raised it."""
    if isinstance(error, MessageInvalid) and error.reasons:
        text = "; ".join(f"{r['field']}: {r['code']}: {r['detail']}" for r in error.reasons)
        return Failure(error.code, Disposition.REJECT, text)
    if isinstance(error, HourbridgeError):
        return Failure(error.code, error.disposition, str(error))
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {where[0].name}:{where[0].lineno}" if where else ""
    return Failure(DEFECT, Disposition.RETRY, f"{type(error).__name__}: {error}{place}")


def after_failure(
    delivery: Delivery,
    failure: Failure,
    policy: RetryPolicy,
    *,
    queues: ServiceQueues,
    now: datetime,
) -> Outgoing:
    """Return the copy that waits on a rung, or the dead letter when nothing is left to try.

    A message that asks to be parked was not parked by its handler: that is dead, and shown.
    """
    failed_attempts = h.attempts(delivery) + 1
    marks = _failure_headers(delivery, failure, failed_attempts, now)
    final = failure.disposition is not Disposition.RETRY
    if final or policy.is_used_up(failure, failed_attempts):
        return _copy(delivery, DEAD_EXCHANGE, queues.dead, {**marks, h.CAUSE: failure.code})
    return _copy(delivery, policy.rung_after(failed_attempts).exchange, delivery.queue, marks)


def to_suspect_lane(delivery: Delivery, policy: RetryPolicy, *, queues: ServiceQueues) -> Outgoing:
    """Return the copy for the lane where messages are handled alone.

    It goes there over the shortest rung. Handed over at once, a message that kills its holder
    would do so before the broker has the acknowledgement of its original, which would then be
    moved again after every death.
    """
    exchange = policy.rungs[0].exchange if policy.rungs else ""
    return _copy(delivery, exchange, queues.suspect, h.origin(delivery))


def holder_killed(delivery: Delivery, *, queues: ServiceQueues, now: datetime) -> Outgoing:
    """Return the dead letter of a message that lost its holders although it was alone."""
    failure = Failure(
        KILLED_ITS_HOLDER,
        Disposition.REJECT,
        f"{delivery.earlier_holders_lost} processes ended while they handled this message alone",
    )
    policy = RetryPolicy(rungs=())
    return after_failure(delivery, failure, policy, queues=queues, now=now)


def same_again(delivery: Delivery) -> Outgoing:
    """Return the message as it is, for its own queue."""
    own = {} if delivery.exchange == DEAD_EXCHANGE else h.origin(delivery)
    return _copy(delivery, "", delivery.queue, own)


def held_back(delivery: Delivery, rungs: Sequence[Rung]) -> Outgoing:
    """Return the copy that waits on a rung although nothing failed; each time on a longer one."""
    times = h.times_held(delivery) + 1
    rung = RetryPolicy(rungs).rung_after(times)
    return _copy(delivery, rung.exchange, delivery.queue, {**h.origin(delivery), h.HELD: times})


def _failure_headers(
    delivery: Delivery, failure: Failure, failed_attempts: int, now: datetime
) -> dict[str, HeaderValue]:
    first = delivery.headers.get(h.FIRST_FAILED_AT) or to_text(now)
    return {
        **h.origin(delivery),
        h.ATTEMPT: failed_attempts,
        h.FIRST_FAILED_AT: first,
        h.ERROR_CODE: failure.code,
        h.ERROR_TEXT: h.cut(failure.text),
    }


def _copy(
    delivery: Delivery, exchange: str, routing_key: str, own: Mapping[str, HeaderValue]
) -> Outgoing:
    return Outgoing(
        exchange=exchange,
        routing_key=routing_key,
        body=delivery.body,
        message_id=delivery.message_id or "",
        type=delivery.type or "",
        headers={**h.carried(delivery.headers), **own},
        correlation_id=delivery.correlation_id,
        content_type=delivery.content_type or CONTENT_TYPE,
    )
