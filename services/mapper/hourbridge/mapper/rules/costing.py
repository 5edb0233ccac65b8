"""What work costs us, and which part of it the client does not pay."""

from __future__ import annotations

from hourbridge.common.messages.events import ChargedRate, WriteDown
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.subject import Subject


def cost_rate_of(
    book: CompiledBook, source: str, entry: TimeEntry, subject: Subject
) -> ChargedRate | None:
    """Return what an hour costs us: as the source states it, else by the person's rule.

    None where nobody says. A cost follows worked time, so it never decides what is billed.
    """
    stated = entry.cost_rate
    if stated is not None and stated.unit == "hour" and stated.amount >= 0:
        currency = stated.currency or entry.base_currency or book.configuration.currency
        origin = f"source: {stated.origin}" if stated.origin else "source: cost_rate"
        return ChargedRate(amount=stated.amount, currency=currency, origin=origin)
    if not len(book.staff):
        return None
    rule = first_match(book.staff, source, subject.staff, entry.work_date)
    if rule is None or rule.cost_rate is None:
        return None
    currency = rule.currency or book.configuration.currency
    return ChargedRate(amount=rule.cost_rate, currency=currency, origin=f"staff:{rule.staff}")


def write_down_of(entry: TimeEntry, billable_seconds: int) -> WriteDown | None:
    """Return the worked time that the client doesn't pay for, with the source's reason."""
    unpaid = entry.input.seconds - billable_seconds
    if unpaid <= 0:
        return None
    by = f" by its {entry.billable_reason}" if entry.billable_reason else ""
    reason = entry.revision_note or f"the source bills {billable_seconds} s of it{by}"
    return WriteDown(seconds=unpaid, reason=reason)
