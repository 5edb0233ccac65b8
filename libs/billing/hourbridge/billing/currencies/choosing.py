"""Which published rate holds on a day: the day's own, else the last one before it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Context, Decimal

from hourbridge.common.book import CurrencyPolicy
from hourbridge.common.exchange_rates import RateMissing, RateRecord
from hourbridge.common.messages.events import ExchangeRateUsed, RateLeg

_ONE = Decimal(1)
_SHOWN = Context(prec=28)
"""A cross rate's value is shown to 28 digits; amounts are converted by its legs, unrounded."""


class RateTable:
    """Published rates of one source, by currency and day."""

    def __init__(self, records: Iterable[RateRecord]) -> None:
        self._records: dict[tuple[str, date], list[RateRecord]] = {}
        for record in sorted(records, key=lambda record: record.revision):
            self._records.setdefault((record.currency, record.rate_date), []).append(record)

    def on(self, currency: str, day: date, policy: CurrencyPolicy) -> RateRecord | None:
        """Return the rate of a day; of corrected ones the one that the policy names."""
        found = self._records.get((currency, day))
        if found is None:
            return None
        return found[0] if policy.corrected_rates == "first_published" else found[-1]


def choose(
    table: RateTable, currency: str, base: str, day: date, policy: CurrencyPolicy
) -> ExchangeRateUsed:
    """Return the rate from ``currency`` to ``base`` for ``day``, as it is stamped on documents.

    On days without a publication (weekends, holidays) the last one before counts, if it is not
    older than ``days_back_max``; both legs of a cross rate come from one day. Raises RateMissing:
    there is no other answer, and never 1.
    """
    needed = [name for name in (currency, base) if name != policy.pivot]
    for days_back in range(policy.days_back_max + 1):
        rate_date = day - timedelta(days=days_back)
        found = [table.on(name, rate_date, policy) for name in needed]
        legs = [record for record in found if record is not None]
        if len(legs) == len(needed):
            return _used(legs, currency, base, day, rate_date, policy)
    raise RateMissing(
        f"{policy.source} published no rate {currency} to {base} for {day} "
        f"or the {policy.days_back_max} days before",
        currency=currency,
        base=base,
        day=day.isoformat(),
    )


def missing_key(currency: str, base: str, day: date) -> str:
    """Return what a document without a rate waits for."""
    return f"rate:{currency}->{base}:{day.isoformat()}"


def _used(
    legs: list[RateRecord],
    currency: str,
    base: str,
    day: date,
    rate_date: date,
    policy: CurrencyPolicy,
) -> ExchangeRateUsed:
    """Return the rate with its legs: units per pivot of the base, by those of the currency."""
    values = {record.currency: record.value for record in legs}
    above, below = values.get(base, _ONE), values.get(currency, _ONE)
    is_direct = currency == policy.pivot
    return ExchangeRateUsed(
        rate_id="+".join(record.rate_id for record in legs),
        source=policy.source,
        base_currency=base,
        value=above if is_direct else _SHOWN.divide(above, below),
        wanted_date=day,
        rate_date=rate_date,
        is_fallback=rate_date != day,
        legs=()
        if is_direct
        else tuple(RateLeg(currency=leg.currency, value=leg.value) for leg in legs),
    )
