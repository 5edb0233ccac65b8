"""What the company's preferences decide for us, read at most once a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.connectors.quickbooks_online.transport import Transport

_FRESH_SECONDS = 60
_PURCHASE_NUMBERS = "VendorAndPurchasesPrefs.UseCustomTxnNumbers"
_FIELD_NAME = "SalesFormsPrefs.SalesCustomName"


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
    tracks_departments: bool = False
    tracks_classes: bool = False
    """Whether lines have a class."""
    has_transaction_classes: bool = False
    """Whether a sale has one class as a whole."""
    has_own_purchase_numbers: bool = True
    """Whether callers number checks and purchases; else the company does it by itself."""
    form_fields: Mapping[str, str] = field(default_factory=dict)
    """The sales forms' own three fields: their definitions' ids by lower-case name."""
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
    accounting = content.get("AccountingInfoPrefs", {})
    closed = accounting.get("BookCloseDate")
    currency = content.get("CurrencyPrefs", {})
    return Preferences(
        closed_through=date.fromisoformat(closed[:10]) if closed else None,
        is_multi_currency=bool(currency.get("MultiCurrencyEnabled", False)),
        home_currency=currency.get("HomeCurrency", {}).get("value"),
        needs_exchange_account=bool(
            currency.get("LineBaseAmounts") and "ExchangeAccountRef" not in currency
        ),
        uses_sales_tax=bool(content.get("TaxPrefs", {}).get("UsingSalesTax", False)),
        tracks_departments=bool(accounting.get("TrackDepartments", False)),
        tracks_classes=bool(accounting.get("ClassTrackingPerTxnLine", False)),
        has_transaction_classes=bool(accounting.get("ClassTrackingPerTxn", False)),
        has_own_purchase_numbers=_other(content).get(_PURCHASE_NUMBERS, "true").lower() != "false",
        form_fields=_form_fields(content),
        has_own_numbers=bool(content.get("SalesFormsPrefs", {}).get("CustomTxnNumbers", False)),
    )


def _other(content: dict[str, Any]) -> dict[str, str]:
    """Return the preferences that the service keeps as names and texts."""
    pairs = content.get("OtherPrefs", {}).get("NameValue", [])
    return {str(pair.get("Name")): str(pair.get("Value")) for pair in pairs}


def _form_fields(content: dict[str, Any]) -> dict[str, str]:
    """Return the sales forms' own fields; the digit at a name's end is the definition's id."""
    found = {}
    for group in content.get("SalesFormsPrefs", {}).get("CustomField", []):
        for each in group.get("CustomField", []):
            name = str(each.get("Name", ""))
            if name.startswith(_FIELD_NAME) and each.get("StringValue"):
                label = str(each["StringValue"])
                found[label.casefold()] = name.removeprefix(_FIELD_NAME)
    return found
