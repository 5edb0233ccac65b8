"""What QuickBooks Online pushes: verified over the raw bytes, then read in either format.

Deliveries carry ids only, come twice and out of order: each event is a hint that wakes a feed.
Just a merge says something that can't be read afterwards: which entry was merged into which.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from hourbridge.common.clock import to_text
from hourbridge.common.errors import WebhookRefused
from hourbridge.common.exact_json import dumps, loads
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import Deletion, ListEntry
from hourbridge.connectors.quickbooks_online.inbound.cursors import order_key
from hourbridge.connectors.quickbooks_online.inbound.list_entries import LISTS
from hourbridge.connectors.quickbooks_online.inbound.telling import Told
from hourbridge.connectors.quickbooks_online.inbound.transactions import (
    DOCUMENTS,
    TIME_ACTIVITY,
    tell_deleted,
)
from hourbridge.connectors.source import Statement
from hourbridge.connectors.webhooks import Delivery, Hint, Pushed

SIGNATURE_HEADER = "intuit-signature"
_TYPE = re.compile(r"qbo\.([a-z0-9]+)\.([a-z]+)\.v[0-9]+", re.IGNORECASE)
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")
_WORDS = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "merge": "merged",
    "void": "voided",
}
_FEEDS = {
    **{entity.lower(): (name,) for entity, name in LISTS.items()},
    **{entity.lower(): ("changes",) for entity in DOCUMENTS},
    "payment": ("changes", "payment"),
    "timeactivity": ("changes", "time_activity"),
    "currency": ("currency",),
    "preferences": ("preferences",),
    "taxagency": ("tax_code", "tax_rate"),
}
_NAMES = {entity.lower(): entity for entity in (*LISTS, *DOCUMENTS, TIME_ACTIVITY)} | {
    "currency": "CompanyCurrency",
    "preferences": "Preferences",
    "taxagency": "TaxAgency",
}
_OTHERS = frozenset(
    {"budget", "deposit", "estimate", "journalcode", "purchaseorder", "refundreceipt"}
    | {"salesreceipt", "transfer", "attachable", "companyinfo"}
)
"""Known, and nothing that we read: acknowledged, and that is all."""


@dataclass(frozen=True)
class _Event:
    """One event of either format."""

    event_id: str
    account: str
    entity: str
    """As the service spells it, where we know it."""
    entity_id: str
    what: str
    at: datetime | None
    loser: str | None
    raw: Mapping[str, Any]


class QuickBooksOnlineReceiver:
    """Understands the deliveries of one app, for all companies that are connected to it."""

    def __init__(self, verifier_token: SecretStr) -> None:
        self._key = verifier_token.get_secret_value().encode()

    def receive(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return what a delivery says; see ``WebhookReceiver.receive``."""
        self._verify(headers.get(SIGNATURE_HEADER, ""), body)
        try:
            content = loads(body)
        except ValueError as error:
            return Delivery((_kept(body, "body", f"this is no JSON: {error}"),))
        if isinstance(content, list):
            found = [_from_cloudevent(each) for each in content]
        elif isinstance(content, Mapping) and isinstance(content.get("eventNotifications"), list):
            found = list(_from_legacy(content["eventNotifications"]))
        else:
            return Delivery((_kept(body, "body", "neither of the two formats"),))
        pushed = {each.event_id: each for event in found for each in _pushed(event)}
        return Delivery(tuple(pushed.values()))

    def _verify(self, given: str, body: bytes) -> None:
        expected = base64.b64encode(hmac.new(self._key, body, hashlib.sha256).digest())
        # Bytes: a header may hold what is no ASCII, which comparing as text would trip over.
        if not hmac.compare_digest(expected, given.strip().encode()):
            what = "missing" if not given else "wrong"
            raise WebhookRefused(f"the signature {SIGNATURE_HEADER} is {what}")


def _from_cloudevent(event: Any) -> _Event | Pushed:
    """Return an event of the array that is sent since 2026."""
    if not isinstance(event, Mapping):
        return _kept(dumps(event).encode(), "event", "an event is no object")
    named = _TYPE.fullmatch(str(event.get("type", "")))
    account, entity_id = event.get("intuitaccountid"), event.get("intuitentityid")
    if named is None or not account or not entity_id:
        detail = "type, intuitaccountid or intuitentityid is missing or unknown"
        return _kept(dumps(event).encode(), "type", detail, account)
    data = event.get("data")
    loser = _member(data, "deletedid") if isinstance(data, Mapping) else None
    at = _instant(event.get("time"))
    return _Event(
        event_id=str(event.get("id") or derive_id(dumps(event))),
        account=str(account),
        entity=_NAMES.get(named[1].lower(), named[1]),
        entity_id=str(entity_id),
        what=named[2].lower(),
        at=at,
        loser=loser,
        raw=event,
    )


def _from_legacy(notifications: list[Any]) -> Iterator[_Event | Pushed]:
    """Yield the events of the former format; they have no ids, so equal ones get equal ids."""
    for notification in notifications:
        try:
            account = str(notification["realmId"])
            entities = list(notification["dataChangeEvent"]["entities"])
        except (KeyError, TypeError):
            detail = "a notification lacks realmId or entities"
            yield _kept(dumps(notification).encode(), "eventNotifications", detail)
            continue
        yield from (_from_legacy_entity(account, each) for each in entities)


def _from_legacy_entity(account: str, entity: Any) -> _Event | Pushed:
    try:
        name, entity_id = str(entity["name"]), str(entity["id"])
        operation, updated = str(entity["operation"]), entity.get("lastUpdated")
    except (KeyError, TypeError, AttributeError):
        detail = "an entity lacks name, id or operation"
        return _kept(dumps(entity).encode(), "entities", detail, account)
    loser = _member(entity, "deletedid")
    return _Event(
        event_id=derive_id("legacy", account, name, entity_id, operation, str(updated), str(loser)),
        account=account,
        entity=_NAMES.get(name.lower(), name),
        entity_id=entity_id,
        what=_WORDS.get(operation.lower(), operation.lower()),
        at=_instant(updated),
        loser=loser,
        raw=entity,
    )


def _pushed(event: _Event | Pushed) -> Iterator[Pushed]:
    """Yield what an event means for us: a hint per feed that has to look."""
    if isinstance(event, Pushed):
        yield event
        return
    key = event.entity.lower()
    if key in _OTHERS:
        yield Pushed(event.event_id, event.account)
        return
    if key not in _FEEDS:
        detail = f"nothing is known of entity {event.entity}"
        raw = dumps(event.raw).encode()
        yield _kept(raw, "type", detail, event.account, event.event_id)
        return
    for number, feed in enumerate(_FEEDS[key]):
        hint = Hint(feed, event.entity, event.entity_id, event.what)
        event_id = event.event_id if number == 0 else f"{event.event_id}/{feed}"
        yield Pushed(event_id, event.account, hint=hint)
    if event.what == "merged" and event.loser and event.entity in LISTS:
        yield Pushed(f"{event.event_id}/merged", event.account, statement=_merged(event))
    if event.what == "deleted" and event.entity == TIME_ACTIVITY:
        # Neither capture nor query ever shows it.
        told = Told()
        tell_deleted(event.entity, [_tombstone(event)], told)
        (statement,) = told.statements
        yield Pushed(f"{event.event_id}/deleted", event.account, statement=statement)


def _merged(event: _Event) -> Statement:
    """State that an entry is gone because it was merged into another one."""
    list_name = LISTS[event.entity]
    entry = ListEntry(
        external_id=f"{list_name}:{event.loser}",
        list_name=list_name,
        entry_id=str(event.loser),
        name=f"{list_name} {event.loser}",
        is_active=False,
        merged_into=event.entity_id,
        updated_at=event.at,
        source_updated_at=event.at,
        # Not as sure as a tombstone: it must not count as the same statement, which names no heir.
        deleted=Deletion(at=event.at, how="webhook", confirmed=False),
    )
    # One more than a tombstone of the same second: whichever comes first, the heir stays known.
    order = order_key(event.at, None, is_last=True) + 1 if event.at else None
    location = f"{event.entity} {event.loser}"
    return Statement(dumps(event.raw).encode(), location, record=entry, order_key=order)


def _tombstone(event: _Event) -> Mapping[str, Any]:
    """Return an event as capture would show it."""
    at = {"LastUpdatedTime": to_text(event.at)} if event.at else {}
    return {"Id": event.entity_id, "status": "Deleted", "MetaData": at}


def _kept(
    raw: bytes, field: str, detail: str, account: Any = None, event_id: str | None = None
) -> Pushed:
    """Return what can't be understood: kept, never refused."""
    reason = FieldReason(field=field, code="not_understood", detail=detail)
    statement = Statement(raw, "webhook", reasons=(reason,))
    identity = event_id or derive_id("unread", hashlib.sha256(raw).hexdigest())
    return Pushed(identity, str(account) if account else None, statement=statement)


def _member(value: Mapping[str, Any], name: str) -> str | None:
    found = next((member for key, member in value.items() if str(key).lower() == name), None)
    return str(found) if found not in (None, "") else None


def _instant(text: Any) -> datetime | None:
    """Return an instant: nanoseconds cut, ``-0700`` taken for what it is; None if unreadable."""
    try:
        instant = datetime.fromisoformat(_FRACTION.sub(r"\1", str(text)))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else None
