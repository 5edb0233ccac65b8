"""The company's own exchange rates: objects without an id, one per currency and day."""

from __future__ import annotations

from datetime import date
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    invalid_property,
    missing_parameter,
    stale,
)
from hourbridge.sandbox.quickbooks_online.values import Entity, date_of, number_of

FILTERABLE = frozenset(
    {"AsOfDate", "SourceCurrencyCode", "MetaData.LastUpdatedTime", "MetaData.CreateTime"}
)
_RATE_DECIMALS_MAX = 40


def read(company: Company, currency: str | None, as_of: str | None) -> Entity:
    """Return the rate of a day: the last one set before it, 1 when there is none."""
    if not currency:
        raise missing_parameter("sourcecurrencycode")
    day = _day(as_of) or company.clock.today()
    stored = company.rates.get(currency, {})
    if day.isoformat() in stored:
        return _shown(company, currency, day.isoformat())
    rate = company.rate_of(currency, day)
    shown = {"SourceCurrencyCode": currency, "TargetCurrencyCode": company.currency}
    meta = {"LastUpdatedTime": company.clock.stamp()}
    return {**shown, "Rate": rate, "AsOfDate": day.isoformat(), "MetaData": meta}


def every(company: Company) -> list[Entity]:
    """Return all rates that were set, by day and currency."""
    keys = sorted((day, code) for code, days in company.rates.items() for day in days)
    return [_shown(company, code, day) for day, code in keys]


def write(company: Company, given: Entity) -> Entity:
    """Set the rate of a day; a rate that is there already needs its SyncToken."""
    if not company.is_multi_currency:
        raise business("Multi Currency should be enabled to perform this operation.")
    currency = given.get("SourceCurrencyCode")
    if not isinstance(currency, str) or len(currency) != 3:
        raise missing_parameter("SourceCurrencyCode")
    target = given.get("TargetCurrencyCode") or company.currency
    if currency == company.currency or target != company.currency:
        raise Refusal("2030", "Invalid ID", "The home currency's own rate can't be set.")
    rate = number_of(given, "Rate", decimals_max=_RATE_DECIMALS_MAX)
    if rate is None or rate <= 0:
        raise invalid_property("Rate")
    day = (date_of(given, "AsOfDate") or company.clock.today()).isoformat()
    key = f"{currency} {day}"
    is_set = day in company.rates.get(currency, {})
    token = company.rate_stamps.get(key, ["0", ""])[0]
    if is_set and str(given.get("SyncToken")) != token:
        raise stale()
    company.rates.setdefault(currency, {})[day] = rate
    next_token = str(int(token) + 1) if is_set else "0"
    company.rate_stamps[key] = [next_token, company.clock.stamp()]
    return _shown(company, currency, day)


def _shown(company: Company, currency: str, day: str) -> Entity:
    token, stamp = company.rate_stamps.get(f"{currency} {day}", ["0", f"{day}T00:00:00+00:00"])
    return {
        "SourceCurrencyCode": currency,
        "TargetCurrencyCode": company.currency,
        "Rate": company.rates[currency][day],
        "AsOfDate": day,
        "SyncToken": token,
        "domain": "QBO",
        "sparse": False,
        "MetaData": {"LastUpdatedTime": stamp},
    }


def _day(text: Any) -> date | None:
    return date_of({"asofdate": text}, "asofdate")
