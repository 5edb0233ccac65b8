"""Change data capture: what changed since an instant, with the service's limits and gaps.

There is no upper bound and no paging; an answer holds at most 1000 objects, live ones first. What
is left out shows only as a ``totalCount`` above the number of objects in a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hourbridge.sandbox.quickbooks_online.clock import SERVER_ZONE
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import BY_RESOURCE, Kind
from hourbridge.sandbox.quickbooks_online.operations import shown
from hourbridge.sandbox.quickbooks_online.refusals import bad_query, missing_parameter, unsupported
from hourbridge.sandbox.quickbooks_online.values import Entity

LOOK_BACK_DAYS = 30
OBJECTS_MAX = 1000


def changes(
    company: Company, entities: str | None, since: str | None, *, objects_max: int = OBJECTS_MAX
) -> dict[str, Any]:
    """Return the content of CDCResponse; refuses unknown kinds and a look-back over 30 days."""
    if not entities:
        raise missing_parameter("entities")
    kinds = [_kind(name) for name in entities.split(",")]
    instant = _instant(since)
    if company.clock.now() - instant > timedelta(days=LOOK_BACK_DAYS):
        raise bad_query(f"changedSince must be within the last {LOOK_BACK_DAYS} days")
    blocks, room = [], objects_max
    for kind in kinds:
        block = _block(company, kind, instant, room)
        room -= block.get("maxResults", 0)
        blocks.append(block)
    return {"CDCResponse": [{"QueryResponse": blocks}]}


def _kind(name: str) -> Kind:
    kind = BY_RESOURCE.get(name.strip().lower())
    if kind is None or kind.name in ("JournalCode", "TaxAgency", "TaxCode", "TaxRate"):
        raise unsupported(f"cdc of {name}")
    return kind


def _instant(since: str | None) -> datetime:
    if not since:
        raise missing_parameter("changedSince")
    try:
        # A plus sign that was not escaped arrives as a blank.
        instant = datetime.fromisoformat(since.strip().replace(" ", "+"))
    except ValueError:
        raise bad_query(f"{since!r} is not a date and time") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=SERVER_ZONE)


def _block(company: Company, kind: Kind, since: datetime, room: int) -> Entity:
    if not kind.in_change_capture:
        return {}
    found = [*_live(company, kind, since), *_gone(company, kind, since)]
    taken = found[: max(0, room)]
    if not found:
        return {}
    block: Entity = {kind.name: taken, "startPosition": 1, "maxResults": len(taken)}
    if len(taken) < len(found):
        block["totalCount"] = len(found)
    return block


def _live(company: Company, kind: Kind, since: datetime) -> Sequence[Entity]:
    changed = [entity for entity in company.all(kind) if _updated(entity) >= since]
    changed.sort(key=_updated)
    return [shown(company, kind, entity) for entity in changed]


def _gone(company: Company, kind: Kind, since: datetime) -> Sequence[Entity]:
    return [
        {
            "domain": "QBO",
            "status": "Deleted",
            "Id": identity,
            "MetaData": {"LastUpdatedTime": at},
        }
        for identity, at in company.tombstones.get(kind.name, {}).items()
        if datetime.fromisoformat(at) >= since
        and company.clock.now() - datetime.fromisoformat(at) <= timedelta(days=LOOK_BACK_DAYS)
    ]


def _updated(entity: Entity) -> datetime:
    return datetime.fromisoformat(entity["MetaData"]["LastUpdatedTime"])
