"""What a company has one of, and its exchange rates, as list entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from hourbridge.common.messages.records import ListEntry
from hourbridge.connectors.quickbooks_online.inbound.asking import Row, instant_of
from hourbridge.connectors.quickbooks_online.inbound.telling import Told, leaves, state, text_of

_ENVELOPE = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse"})


def tell_company(entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None) -> None:
    """State what the company says of itself: country, edition, fiscal year."""
    for row in rows:
        told.statements.append(
            state(entity, row, partial(_company, row), external_id="company:1", least=least)
        )


def tell_preferences(
    entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None
) -> None:
    """State the preferences: the closing date, what is tracked, the custom fields' names."""
    for row in rows:
        told.statements.append(
            state(entity, row, partial(_preferences, row), external_id="preferences:1", least=least)
        )


def tell_rates(entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None) -> None:
    """State exchange rates: one entry per currency and day."""
    for row in rows:
        identity = f"{row.get('SourceCurrencyCode')}:{row.get('AsOfDate')}"
        told.statements.append(
            state(
                entity,
                row,
                partial(_rate, row, identity),
                external_id=f"exchange_rate:{identity}",
                least=least,
            )
        )


def _company(row: Row) -> ListEntry:
    named = {
        f"NameValue.{each['Name']}": text_of(each.get("Value", ""))
        for each in row.get("NameValue", [])
    }
    rest = {n: v for n, v in row.items() if n not in _ENVELOPE | {"NameValue", "CompanyName"}}
    return _single("company", row, str(row["CompanyName"]), leaves(rest) | named)


def _preferences(row: Row) -> ListEntry:
    attributes: dict[str, str] = {}
    for section, values in row.items():
        if section in _ENVELOPE or not isinstance(values, dict):
            continue
        plain = {n: v for n, v in values.items() if n not in ("CustomField", "NameValue")}
        attributes |= leaves(plain, section)
        for named in values.get("NameValue", []):
            attributes[f"{section}.{named['Name']}"] = text_of(named.get("Value", ""))
        for group in values.get("CustomField", []):
            attributes |= _definitions(group.get("CustomField", []))
    return _single("preferences", row, "Preferences", attributes)


def _definitions(group: Sequence[Row]) -> dict[str, str]:
    """Return custom field definitions by the service's names: their last digit is the id.

    ``SalesFormsPrefs.UseSalesCustom1`` says whether the first is in use,
    ``SalesFormsPrefs.SalesCustomName1`` what it is called.
    """
    found = {}
    for each in group:
        value = each.get("StringValue", each.get("BooleanValue"))
        if value is not None:
            found[str(each["Name"])] = text_of(value)
    return found


def _rate(row: Row, identity: str) -> ListEntry:
    updated = instant_of(row)
    return ListEntry(
        external_id=f"exchange_rate:{identity}",
        list_name="exchange_rate",
        entry_id=identity,
        name=str(row["SourceCurrencyCode"]),
        currency=row["SourceCurrencyCode"],
        edit_token=row.get("SyncToken"),
        updated_at=updated,
        source_updated_at=updated,
        attributes={
            "Rate": text_of(row["Rate"]),
            "AsOfDate": str(row["AsOfDate"]),
            "TargetCurrencyCode": str(row.get("TargetCurrencyCode", "")),
        },
    )


def _single(list_name: str, row: Row, name: str, attributes: dict[str, str]) -> ListEntry:
    updated: datetime | None = instant_of(row)
    return ListEntry(
        external_id=f"{list_name}:1",
        list_name=list_name,
        entry_id="1",
        name=name,
        edit_token=row.get("SyncToken"),
        updated_at=updated,
        source_updated_at=updated,
        attributes=attributes,
    )
