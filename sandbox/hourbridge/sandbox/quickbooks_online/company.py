"""One company's books: tables of entities, id counters and the indexes over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.arithmetic import Arithmetic
from hourbridge.sandbox.quickbooks_online.clock import MovableClock
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    BILL,
    CREDIT_MEMO,
    CUSTOMER,
    INVOICE,
    JOURNAL_ENTRY,
    KINDS,
    PAYMENT,
    TAX_CODE,
    VENDOR,
    VENDOR_CREDIT,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.refusals import duplicate_number
from hourbridge.sandbox.quickbooks_online.values import Entity

_OPEN_AMOUNT = {
    INVOICE.name: ("CustomerRef", 1),
    CREDIT_MEMO.name: ("CustomerRef", -1),
    BILL.name: ("VendorRef", 1),
    VENDOR_CREDIT.name: ("VendorRef", -1),
}


@dataclass(frozen=True)
class Change:
    """Something that happened to an entity, as webhooks tell it."""

    realm: str
    at: datetime
    kind: Kind
    identity: str
    operation: str
    """Create, Update, Delete, Merge, Void or Emailed."""
    loser: str | None = None
    """Of a merge: the entity that is gone."""


class Company:
    """The books of one realm. Not locked; the world that holds it is."""

    def __init__(self, realm: str, name: str, clock: MovableClock, currency: str = "USD") -> None:
        self.realm = realm
        self.clock = clock
        self.info: Entity = company_info(name)
        self.preferences: Entity = default_preferences(currency)
        self.tombstones: dict[str, dict[str, str]] = {}
        """Of each kind: when what is gone was deleted, by id."""
        self.on_change: Callable[[Change], None] | None = None
        self.tables: dict[str, dict[str, Entity]] = {kind.name: {} for kind in KINDS}
        self.counters: dict[str, int] = {}
        self.arithmetic = Arithmetic()
        self.rates: dict[str, dict[str, Decimal]] = {}
        """Home units per foreign unit, by currency and day."""
        self.files: dict[str, bytes] = {}
        """The contents of attached files, by the attachment's id; not part of a snapshot."""
        self.rate_stamps: dict[str, list[str]] = {}
        """Of rates that were written: SyncToken and time, by currency and day."""
        for single in (self.info, self.preferences):
            single["MetaData"] = {"CreateTime": clock.stamp(), "LastUpdatedTime": clock.stamp()}
        self._numbers: dict[tuple[str, str, str], str] = {}
        self._balances: dict[tuple[str, str], Decimal] = {}
        for code, taxable in (("TAX", True), ("NON", False)):
            self.put(TAX_CODE, {"Name": code, "Active": True, "Taxable": taxable}, identity=code)

    @property
    def currency(self) -> str:
        """The home currency."""
        return str(self.preferences["CurrencyPrefs"]["HomeCurrency"]["value"])

    @property
    def is_multi_currency(self) -> bool:
        """Whether documents may be in other currencies."""
        return bool(self.preferences["CurrencyPrefs"]["MultiCurrencyEnabled"])

    @property
    def has_own_numbers(self) -> bool:
        """Whether callers choose document numbers."""
        return bool(self.preferences["SalesFormsPrefs"]["CustomTxnNumbers"])

    def closed_through(self) -> date | None:
        """Return the last day of closed books."""
        text = self.preferences["AccountingInfoPrefs"].get("BookCloseDate")
        return date.fromisoformat(text) if text else None

    def get(self, kind: Kind, identity: str) -> Entity | None:
        """Return the stored entity (not a copy), or None."""
        return self.tables[kind.name].get(identity)

    def all(self, kind: Kind) -> Iterator[Entity]:
        """Yield the stored entities in the order of their creation."""
        yield from self.tables[kind.name].values()

    def put(
        self,
        kind: Kind,
        entity: Entity,
        *,
        identity: str | None = None,
        operation: str | None = None,
    ) -> Entity:
        """Store an entity: a new one gets an id, a stored one its next SyncToken.

        ``operation`` is what webhooks tell, if not that it was created or updated.
        """
        current = self.get(kind, identity) if identity else None
        identity = identity or self._next_id(kind)
        now = self.clock.stamp()
        stored = {
            **entity,
            "Id": identity,
            "SyncToken": str(int(current["SyncToken"]) + 1) if current else "0",
            "MetaData": {
                "CreateTime": current["MetaData"]["CreateTime"] if current else now,
                "LastUpdatedTime": now,
            },
            "domain": "QBO",
            "sparse": False,
        }
        self._unindex(kind, current)
        self.tables[kind.name][identity] = stored
        self._index(kind, stored)
        self.tell(kind, identity, operation or ("Update" if current else "Create"))
        return stored

    def remove(self, kind: Kind, identity: str, *, silently: bool = False) -> None:
        """Forget a stored entity; its tombstone stays. ``silently``: no event of its own."""
        self._unindex(kind, self.tables[kind.name].pop(identity))
        self.tombstones.setdefault(kind.name, {})[identity] = self.clock.stamp()
        if not silently:
            self.tell(kind, identity, "Delete")

    def tell(self, kind: Kind, identity: str, operation: str, loser: str | None = None) -> None:
        """Tell whoever listens that something happened to an entity."""
        if self.on_change is not None:
            change = Change(self.realm, self.clock.now(), kind, identity, operation, loser)
            self.on_change(change)

    def holder_of(self, kind: Kind, number: str, party: str = "") -> str | None:
        """Return the id of the document of this kind (and vendor) that has the number."""
        return self._numbers.get((kind.name, number, party))

    def check_number_free(
        self, kind: Kind, number: str, own_id: str | None, party: str = ""
    ) -> None:
        """Raise 6140 when another document of the kind has the number."""
        holder = self.holder_of(kind, number, party)
        if holder is not None and holder != own_id:
            raise duplicate_number(number, kind.name, holder)

    def account_named(self, name: str) -> Entity | None:
        """Return the active account of that name."""
        named = (a for a in self.all(ACCOUNT) if a["Name"] == name and a["Active"])
        return next(named, None)

    def rate_of(self, currency: str, day: date) -> Decimal:
        """Return the company's own rate: the last one not after the day, 1 when it has none."""
        known = self.rates.get(currency, {})
        days = [each for each in known if each <= day.isoformat()]
        return known[max(days)] if days else Decimal(1)

    def next_number(self, kind: Kind) -> str:
        """Return the number that the service itself would give."""
        counter = f"number:{kind.name}"
        self.counters[counter] = self.counters.get(counter, 1000) + 1
        return str(self.counters[counter])

    def balance_of(self, kind: Kind, party_id: str) -> Decimal:
        """Return what a customer owes or a vendor is owed: open documents less unused credits."""
        return self._balances.get((kind.name, party_id), Decimal("0.00"))

    def reindex(self) -> None:
        """Build the indexes again from the tables."""
        self._numbers.clear()
        self._balances.clear()
        for kind in KINDS:
            for entity in self.all(kind):
                self._index(kind, entity)

    def _next_id(self, kind: Kind) -> str:
        counter = kind.counter
        self.counters[counter] = self.counters.get(counter, 0) + 1
        return str(kind.id_base + self.counters[counter])

    def _index(self, kind: Kind, entity: Entity) -> None:
        if entity.get("DocNumber") is not None:
            self._numbers.setdefault(_number_key(kind, entity), entity["Id"])
        self._move(kind, entity, 1)

    def _unindex(self, kind: Kind, entity: Entity | None) -> None:
        if entity is None:
            return
        if entity.get("DocNumber") is not None:
            key = _number_key(kind, entity)
            if self._numbers.get(key) == entity["Id"]:
                del self._numbers[key]
        self._move(kind, entity, -1)

    def _move(self, kind: Kind, entity: Entity, direction: int) -> None:
        if kind is PAYMENT:
            self._owe(CUSTOMER, entity["CustomerRef"]["value"], -entity["UnappliedAmt"] * direction)
        elif kind.name in _OPEN_AMOUNT:
            reference, sign = _OPEN_AMOUNT[kind.name]
            party = CUSTOMER if reference == "CustomerRef" else VENDOR
            self._owe(party, entity[reference]["value"], entity["Balance"] * sign * direction)
        elif kind is JOURNAL_ENTRY:
            for each in entity["OpenItems"]:
                party = CUSTOMER if each["Type"] == "Customer" else VENDOR
                self._owe(party, each["EntityId"], each["Amount"] * direction)

    def _owe(self, kind: Kind, party_id: str, amount: Decimal) -> None:
        key = (kind.name, party_id)
        self._balances[key] = self._balances.get(key, Decimal("0.00")) + amount


def _number_key(kind: Kind, entity: Entity) -> tuple[str, str, str]:
    """Return under what a number is unique: a vendor's own numbers only within the vendor."""
    party = entity["VendorRef"]["value"] if kind in (BILL, VENDOR_CREDIT) else ""
    return (kind.name, entity["DocNumber"], party)


def company_info(name: str) -> Entity:
    """Return what a new company says of itself."""
    offering = [
        {"Name": "NeoEnabled", "Value": "true"},
        {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
        {"Name": "SubscriptionStatus", "Value": "PAID"},
    ]
    return {
        "CompanyName": name,
        "LegalName": name,
        "Country": "US",
        "FiscalYearStartMonth": "January",
        "SupportedLanguages": "en",
        "NameValue": offering,
        "Id": "1",
        "SyncToken": "0",
        "domain": "QBO",
        "sparse": False,
    }


def default_preferences(currency: str) -> dict[str, Any]:
    """Return the preferences of a new company that numbers its own sales forms."""
    return {
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": "January",
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "CustomerTerminology": "Customers",
        },
        "SalesFormsPrefs": {
            "CustomTxnNumbers": True,
            "AllowDiscount": True,
            "AllowServiceDate": True,
            "AutoApplyCredit": False,
        },
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": currency}},
        "TaxPrefs": {"UsingSalesTax": False, "PartnerTaxEnabled": False},
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": True, "BillableExpenseTracking": True},
        "SyncToken": "0",
        "Id": "1",
        "domain": "QBO",
        "sparse": False,
    }
