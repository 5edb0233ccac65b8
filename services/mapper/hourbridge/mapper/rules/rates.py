"""The rate of a time entry, with the text that says where it comes from."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.messages.events import ChargedRate, Reason
from hourbridge.common.messages.records import StatedRate, TimeEntry
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import parked
from hourbridge.mapper.rules.subject import Subject


def rate_of(
    book: CompiledBook, entry: TimeEntry, subject: Subject, currency: str
) -> ChargedRate | Reason:
    """Return the hourly rate in ``currency``, or why there is none.

    A rate in another currency never applies: nothing is converted silently.
    """
    stated = entry.bill_rate
    if book.rates.use_source_rate and stated is not None:
        found = _source_rate(stated, entry, currency)
        if found is not None:
            return found
    for rule in book.rates.candidates(subject, entry.work_date):
        rate = book.rates.charged(rule)
        if rate.currency == currency:
            return rate
    return _no_rate(book, entry, subject, currency)


def _source_rate(stated: StatedRate, entry: TimeEntry, currency: str) -> ChargedRate | None:
    """Return the source's own hourly rate if it is one that the client can be billed with.

    A stated rate of zero is what trackers export where no rate was entered; billing it would
    give the work away, so only a rule may say zero.
    """
    stated_currency = stated.currency or entry.currency
    if stated.unit != "hour" or stated.amount == Decimal(0):
        return None
    if stated_currency not in (None, currency):
        return None
    origin = f"source: {stated.origin}" if stated.origin else "source: bill_rate"
    if stated_currency is None:
        origin += ", in the client's currency"
    return ChargedRate(amount=stated.amount, currency=currency, origin=origin)


def _no_rate(book: CompiledBook, entry: TimeEntry, subject: Subject, currency: str) -> Reason:
    parts = {
        "client": subject.client.label,
        "project": subject.project.label,
        "task": subject.task.label,
        "staff": subject.staff.label,
    }
    about = ", ".join(f"{name}={label}" for name, label in parts.items() if label is not None)
    notes = [f"no {currency} rate for {about} on {entry.work_date}"]
    stated = entry.bill_rate
    if stated is not None and book.rates.use_source_rate:
        unit = "/h" if stated.unit == "hour" else " fixed"
        stated_currency = stated.currency or entry.currency or ""
        notes.append(f"the source states {stated.amount} {stated_currency}{unit}")
    others = [
        f"{rate.origin} is in {rate.currency}"
        for rate in map(book.rates.charged, book.rates.candidates(subject, entry.work_date))
    ]
    key = "/".join(label or "*" for label in parts.values())
    return parked("no_rate", "; ".join([*notes, *others]), f"rate:{key}")
