"""What a message may weigh. Past these, the broker would end the whole connection."""

from __future__ import annotations

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.errors import PayloadTooLarge

BODY_BYTES_MAX = 8 * 1024 * 1024
"""Half of RabbitMQ 4's limit; senders go by reference from 256 KiB on."""
HEADER_BYTES_MAX = 100_000
"""Headers and properties must fit one frame of 131,064 bytes."""
SHORT_STRING_BYTES_MAX = 255


def require_fits(message: Outgoing) -> None:
    """Raise PayloadTooLarge for a message that the protocol or the broker can't take."""
    short = (message.exchange, message.routing_key, message.message_id, message.type)
    others = (message.content_type, message.correlation_id or "", *message.headers)
    if any(_is_too_long(text) for text in (*short, *others)):
        raise PayloadTooLarge(
            f"an address, id, type or header name exceeds {SHORT_STRING_BYTES_MAX} bytes",
            message_id=message.message_id,
        )
    size = sum(
        len(name) + (4 * len(value) if isinstance(value, str) else 9)
        for name, value in message.headers.items()
    )
    if size > HEADER_BYTES_MAX:
        raise PayloadTooLarge("headers would not fit one frame", message_id=message.message_id)
    if len(message.body) > BODY_BYTES_MAX:
        raise PayloadTooLarge(
            f"a body of {len(message.body)} bytes must go by reference",
            message_id=message.message_id,
        )


def _is_too_long(text: str) -> bool:
    if len(text) * 4 <= SHORT_STRING_BYTES_MAX:
        return False  # too short to be too long in any encoding
    return len(text.encode()) > SHORT_STRING_BYTES_MAX
