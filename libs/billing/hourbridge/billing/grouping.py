"""Which charges share a document, and which share a line of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from hourbridge.billing.basis import charge_kind, line_identity
from hourbridge.billing.pricing import day_key, rounding_group
from hourbridge.common.book import Grouping, LedgerBinding, LineDetail, RoundingScope
from hourbridge.common.calendar import Period, Term, period_of
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Charge

_PERIODS = {
    Grouping.PROJECT_MONTH: Term.MONTH,
    Grouping.CLIENT_MONTH: Term.MONTH,
    Grouping.CLIENT_QUARTER: Term.QUARTER,
}
_SHARED_KEYS_MAX = 4096
_BY_PROJECT = {Grouping.PROJECT_MONTH, Grouping.PROJECT_ON_DEMAND}


@dataclass(frozen=True)
class GroupKeys:
    """Where a charge belongs: the engagement that is locked, and the group that is billed."""

    engagement: str
    group: str


@lru_cache(maxsize=_SHARED_KEYS_MAX)
def _shared_key(*parts: str) -> str:
    """Return a key that many charges have in common."""
    return derive_key(*parts)


def ledger_key(ledger: LedgerBinding) -> str:
    """Return a short text that names a ledger."""
    return f"{ledger.kind}:{ledger.connection}:{ledger.company_id}"


def group_keys(charge: Charge, record_id: str) -> GroupKeys:
    """Return the keys of a charge. A client's flat fee is gathered over all of its projects."""
    base = (
        ledger_key(charge.ledger),
        charge.client,
        charge.customer.key,
        charge.currency,
        charge.invoicing.model_dump_json(),
        *(() if charge.retainer is None else ("retainer", charge.retainer)),
    )
    engagement = _shared_key("engagement", charge.client, charge.customer.key)
    grouping = charge.invoicing.grouping
    if grouping is Grouping.ENTRY:
        return GroupKeys(engagement, derive_key("group", *base, record_id, _job(charge)))
    if grouping in _BY_PROJECT and not _is_client_fee(charge):
        parts = (*base, charge.project or "", _job(charge))
        return GroupKeys(engagement, _shared_key("group", *parts))
    return GroupKeys(engagement, _shared_key("group", *base))


def billing_period(grouping: Grouping, work_date: date) -> Period | None:
    """Return the period whose work shares a document, None where the policy knows no period."""
    term = _PERIODS.get(grouping)
    return None if term is None else period_of(work_date, term)


def is_on_demand(grouping: Grouping) -> bool:
    """Return whether only a request, never the calendar, ends the period."""
    return grouping in (Grouping.PROJECT_ON_DEMAND, Grouping.CLIENT_ON_DEMAND)


def document_date(grouping: Grouping, work_dates: list[date], through: date) -> date:
    """Return the date of a document: its period's end, the entry's day, or the day asked for."""
    last = max(work_dates)
    if grouping is Grouping.ENTRY:
        return last
    period = billing_period(grouping, last)
    return through if period is None else min(period.last, through)


def fee_key(charge: Charge) -> str | None:
    """Return the key of the fixed fee that covers a charge: one per engagement and term."""
    if charge_kind(charge) != "flat_fee" or charge.flat_fee is None:
        return None
    scope = () if _is_client_fee(charge) else (charge.project or "", _job(charge))
    term = period_of(charge.work_date, charge.flat_fee.term)
    parts = (charge.client, charge.customer.key, charge.currency, *scope, str(term.first))
    return derive_key("fee", charge.flat_fee.term, *parts)


def line_key(charge: Charge) -> str:
    """Return the key under which charges share a line; a line never mixes prices or targets.

    A line is never finer than a rounding group: a day that was rounded as one stays one line.
    """
    fee = fee_key(charge)
    if fee is not None:
        return derive_key("line", "fee", fee)
    if charge.kind == "expense":
        return derive_key("line", "expense", charge.charge_id)
    return derive_key("line", "time", *line_identity(charge), *_detail(charge))


def _detail(charge: Charge) -> tuple[str, ...]:
    """Return what parts a line by detail; a day that is rounded as one is never parted."""
    detail, rounding = charge.invoicing.lines, charge.rounding
    by_day = rounding.scope is RoundingScope.DAY
    if detail is LineDetail.ENTRY:
        return ("day", rounding_group(charge, rounding)) if by_day else ("entry", charge.charge_id)
    names = ("task",) if detail is LineDetail.TASK else ("staff", "task")
    apart = [name for name in names if not by_day or name in day_key(rounding)]
    return (detail, *(getattr(charge, name) or "" for name in apart))


def _is_client_fee(charge: Charge) -> bool:
    return charge_kind(charge) == "flat_fee" and charge.flat_fee_scope == "client"


def _job(charge: Charge) -> str:
    return charge.job.key if charge.job else ""
