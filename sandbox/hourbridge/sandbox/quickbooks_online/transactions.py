"""Rules that all transactions share: open period, number, currency, exchange rate, home amounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import ACCOUNT, Kind
from hourbridge.sandbox.quickbooks_online.refusals import (
    business,
    invalid_property,
    missing_parameter,
    period_closed,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    number_of,
    reference_of,
    text_of,
)

NUMBER_LIMIT = 21
_RATE_DECIMALS_MAX = 40
RECEIVABLE, PAYABLE = "Accounts Receivable", "Accounts Payable"
EXCHANGE_ACCOUNT = "Exchange Gain or Loss"


def check_period_open(company: Company, dated: date) -> None:
    """Raise 6210 when the day lies in closed books."""
    closed = company.closed_through()
    if closed is not None and dated <= closed:
        raise period_closed()


def number(
    company: Company,
    kind: Kind,
    given: Entity,
    current: Entity | None,
    options: Sequence[str],
    party: str = "",
) -> str | None:
    """Return the checked document number; vendors' numbers are unique per vendor only."""
    found = text_of(given, "DocNumber", NUMBER_LIMIT)
    if found is not None and "allowduplicatedocnum" not in options:
        company.check_number_free(kind, found, current["Id"] if current else None, party)
    return found


def currency(company: Company, given: Entity, party: Entity | None, *, is_new: bool) -> str:
    """Return the currency: in a company with several it is stated, and is the party's own."""
    code = reference_of(given, "CurrencyRef")
    if not company.is_multi_currency:
        if code is not None and (is_new or code != company.currency):
            raise business("Multi Currency should be enabled to perform this operation.")
        return company.currency
    if code is None:
        raise missing_parameter("CurrencyRef")
    if party is not None and code != party["CurrencyRef"]["value"]:
        raise business("The currency of the transaction is not the customer's currency.")
    return code


def exchange(company: Company, given: Entity, code: str, dated: date) -> Decimal:
    """Return home units per foreign unit: the one given, else the company's own of the day."""
    if code == company.currency:
        return Decimal(1)
    if company.arithmetic.line_base_amounts and company.account_named(EXCHANGE_ACCOUNT) is None:
        raise business(f"An account {EXCHANGE_ACCOUNT!r} is needed for foreign currencies.")
    rate = number_of(given, "ExchangeRate", decimals_max=_RATE_DECIMALS_MAX)
    if rate is None:
        return company.rate_of(code, dated)
    if rate <= 0:
        raise invalid_property("ExchangeRate")
    return rate


def money_of(company: Company, body: Entity, name: str, code: str) -> Decimal | None:
    """Return an amount as the books keep it in the currency; finer than allowed is 2010."""
    arithmetic = company.arithmetic
    found = number_of(body, name, decimals_max=arithmetic.decimals_max(code))
    if found is None or code not in arithmetic.currency_digits:
        return found
    return arithmetic.money(found, code)


def home_fields(company: Company, code: str, rate: Decimal, amounts: Entity) -> Entity:
    """Return what a foreign transaction shows besides: its rate and amounts in home currency."""
    if not company.is_multi_currency:
        return {}
    arithmetic = company.arithmetic
    shown: dict[str, Any] = {"ExchangeRate": arithmetic.kept_rate(rate)}
    if code != company.currency:
        shown["GivenRate"] = rate
    for name, amount in amounts.items():
        shown[f"Home{name}"] = arithmetic.home(amount, rate, company.currency)
    return shown


def rate_of(entity: Entity) -> Decimal:
    """Return the exact rate at which a stored transaction is converted."""
    return Decimal(entity.get("GivenRate", 1))


def party_account(company: Company, account_type: str, code: str) -> Entity:
    """Return the receivable or payable account of a currency; the service keeps one of each."""
    accounts = [
        account
        for account in company.all(ACCOUNT)
        if account["AccountType"] == account_type and account["Active"]
    ]
    for account in accounts:
        if account["CurrencyRef"]["value"] == code:
            return account
    raise business(f"There is no account of type {account_type} in {code}.")
