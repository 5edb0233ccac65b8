"""Our own headers on messages that failed, and which headers go along when one is moved.

RabbitMQ's ``x-`` headers are never copied: 3.10 goes on counting in a copied ``x-death``, 4.x
ignores it, and both count deliveries differently. All headers of a message must fit one frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hourbridge.common.bus.adapter import Delivery, HeaderValue

ATTEMPT = "hb-attempt"
"""How many times handling has failed."""
FIRST_FAILED_AT = "hb-first-failed-at"
ERROR_CODE = "hb-error-code"
ERROR_TEXT = "hb-error-text"
CAUSE = "hb-cause"
"""Why the message is dead; only on its way to a dead queue."""
QUEUE = "hb-queue"
"""The lane that the message first failed on; replays go there."""
EXCHANGE = "hb-exchange"
ROUTING_KEY = "hb-routing-key"
"""Where it was first published to, before it was moved between queues."""
HELD = "hb-held"
"""How many times intake held it back because its book floods; no failed attempt."""
REPLAY = "hb-replay"
"""The dead letter that a replayed message came from."""

ATTEMPT_HEADERS = frozenset({ATTEMPT, FIRST_FAILED_AT, ERROR_CODE, ERROR_TEXT, CAUSE})
"""What a replay clears; where the message came from stays."""
ERROR_TEXT_CHARACTERS_MAX = 1000
_CARRIED_CHARACTERS_MAX = 4000
_CARRIED_TOTAL_MAX = 16_000
_ATTEMPTS_MAX = 1000


def cut(text: str) -> str:
    """Return ``text`` short enough for a header and without what UTF-8 or PostgreSQL can't hold."""
    clean = text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
    if len(clean) <= ERROR_TEXT_CHARACTERS_MAX:
        return clean
    return clean[: ERROR_TEXT_CHARACTERS_MAX - 1] + "…"


def carried(headers: Mapping[str, HeaderValue]) -> dict[str, HeaderValue]:
    """Return the headers that go along when a message is published again.

    The broker's own are left out; so are foreign ones too long to fit beside ours.
    """
    kept: dict[str, HeaderValue] = {}
    total = 0
    for name, value in headers.items():
        size = len(name) + (len(value) if isinstance(value, str) else 8)
        if name.startswith("x-") or size > _CARRIED_CHARACTERS_MAX:
            continue
        total += size
        if total > _CARRIED_TOTAL_MAX:
            break
        kept[name] = value
    return kept


def origin(delivery: Delivery) -> dict[str, HeaderValue]:
    """Return the origin headers: those it has, else where it is now."""
    headers = delivery.headers
    return {
        QUEUE: str(headers.get(QUEUE, delivery.queue)),
        EXCHANGE: str(headers.get(EXCHANGE, delivery.exchange)),
        ROUTING_KEY: str(headers.get(ROUTING_KEY, delivery.routing_key)),
    }


def attempts(delivery: Delivery) -> int:
    """Return how many times handling has failed so far; nonsense from outsiders counts as 0."""
    return _count(delivery, ATTEMPT)


def times_held(delivery: Delivery) -> int:
    """Return how many times it was held back so far."""
    return _count(delivery, HELD)


def _count(delivery: Delivery, header: str) -> int:
    value = delivery.headers.get(header, 0)
    return value if isinstance(value, int) and 0 <= value <= _ATTEMPTS_MAX else 0


def as_first_published(delivery: Delivery) -> Delivery:
    """Return the delivery with the exchange and routing key it had before it was moved."""
    if EXCHANGE not in delivery.headers:
        return delivery
    where = origin(delivery)
    return replace(delivery, exchange=str(where[EXCHANGE]), routing_key=str(where[ROUTING_KEY]))
