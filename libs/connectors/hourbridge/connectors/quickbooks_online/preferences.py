"""What the company's preferences decide for us, read at most once a minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.connectors.quickbooks_online.transport import Transport

_FRESH_SECONDS = 60


@dataclass(frozen=True)
class Preferences:
    """The preferences that matter to documents."""

    closed_through: date | None
    is_multi_currency: bool
    home_currency: str | None
    has_own_numbers: bool
    """Whether the company lets callers number sales forms; else it numbers them itself."""
    needs_exchange_account: bool = False
    """The company converts line by line and has no account for what is left of a document."""
    uses_sales_tax: bool = False
    is_american: bool = True
    """Whether the tax rules of the United States hold: lines are taxed or not, one code each."""


class PreferencesReader:
    """Reads preferences; a period closed within the last minute is still refused by the ledger."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock
        self._read: tuple[float, Preferences] | None = None
        self._country: str | None = None

    def current(self) -> Preferences:
        """Return the preferences, at most a minute old."""
        now = self._clock.monotonic_seconds()
        if self._read is None or now - self._read[0] > _FRESH_SECONDS:
            self._read = (now, self._preferences())
        return self._read[1]

    def _preferences(self) -> Preferences:
        found = _preferences(self._transport.get("preferences")["Preferences"])
        if not found.uses_sales_tax:
            return found
        if self._country is None:
            info = self._transport.get(f"companyinfo/{self._transport.company_id}")["CompanyInfo"]
            self._country = str(info.get("Country", "US"))
        return replace(found, is_american=self._country in ("US", "USA"))

    def forget(self) -> None:
        """Read anew next time."""
        self._read = None


def _preferences(content: dict[str, Any]) -> Preferences:
    closed = content.get("AccountingInfoPrefs", {}).get("BookCloseDate")
    currency = content.get("CurrencyPrefs", {})
    return Preferences(
        closed_through=date.fromisoformat(closed[:10]) if closed else None,
        is_multi_currency=bool(currency.get("MultiCurrencyEnabled", False)),
        home_currency=currency.get("HomeCurrency", {}).get("value"),
        needs_exchange_account=bool(
            currency.get("LineBaseAmounts") and "ExchangeAccountRef" not in currency
        ),
        uses_sales_tax=bool(content.get("TaxPrefs", {}).get("UsingSalesTax", False)),
        has_own_numbers=bool(content.get("SalesFormsPrefs", {}).get("CustomTxnNumbers", False)),
    )
