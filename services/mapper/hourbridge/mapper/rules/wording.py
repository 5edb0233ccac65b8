"""Policies in words, as people read them in explanations."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.book import InvoicingPolicy, RoundingPolicy
from hourbridge.common.messages.fields import Payload
from hourbridge.common.money import decimal_text

_MINUTE_SECONDS = 60


def rounding_words(policy: RoundingPolicy) -> str:
    """Return a rounding policy in the order in which it is applied."""
    parts = [f"per {policy.scope.value}"]
    if policy.day_key is not None:
        parts[0] += f" of {' and '.join(policy.day_key)}"
    if policy.minimum_seconds:
        exempt = "" if policy.minimum_exempt_from_increment else ", then to the increment"
        of = f" of each {policy.minimum_of}" if policy.minimum_of else ""
        parts.append(f"at least {_duration(policy.minimum_seconds)}{of}{exempt}")
    parts.append(f"{_duration(policy.increment_seconds)} {policy.mode.value}")
    if policy.billable_percent is not None:
        parts.append(f"{decimal_text(policy.billable_percent)} % of it billed")
    decimals = policy.quantity_decimals
    parts.append("exact hours" if decimals is None else f"hours at {decimals} decimals")
    parts.append(f"money {policy.money_mode}")
    return "; ".join(parts)


def invoicing_words(policy: InvoicingPolicy) -> str:
    """Return how charges become documents."""
    parts = [policy.grouping.value, f"a line per {policy.lines.value}", policy.status]
    if policy.automatic:
        parts.append("automatic")
    if policy.discount is not None:
        parts.append(f"discount {policy_words(policy.discount)}")
    return "; ".join(parts)


def policy_words(policy: Payload) -> str:
    """Return what a policy sets, field by field; what has its default is left out."""
    set_fields = policy.model_dump(exclude_defaults=True)
    return ", ".join(f"{name} {_value(value)}" for name, value in set_fields.items()) or "as usual"


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, _MINUTE_SECONDS)
    return f"{seconds} s" if rest else f"{minutes} min"


def _value(value: object) -> str:
    return decimal_text(value) if isinstance(value, Decimal) else str(value)
