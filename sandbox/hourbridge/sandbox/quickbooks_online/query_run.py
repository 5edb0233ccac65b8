"""Running a parsed query over a company's tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hourbridge.sandbox.quickbooks_online import company_profile, exchange_rates
from hourbridge.sandbox.quickbooks_online.clock import SERVER_ZONE
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import ATTACHABLE, BY_RESOURCE, Kind
from hourbridge.sandbox.quickbooks_online.operations import shown
from hourbridge.sandbox.quickbooks_online.query_language import Condition, Query
from hourbridge.sandbox.quickbooks_online.refusals import bad_query, unparsable_query
from hourbridge.sandbox.quickbooks_online.values import Entity

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
}


def run(company: Company, query: Query) -> Entity:
    """Return the content of QueryResponse; raises 4001 for unknown entities and properties."""
    single = _SINGLE.get(query.entity.lower())
    if single is not None:
        return _run_single(company, query, single)
    kind = BY_RESOURCE.get(query.entity.lower())
    if kind is None:
        raise bad_query(f"Invalid context declaration: {query.entity}")
    if query.projection and kind is not ATTACHABLE:
        raise unparsable_query(f"Encountered {query.projection[0]!r}")
    conditions = [_known(kind, condition) for condition in query.conditions]
    found = [
        entity
        for entity in _candidates(company, kind, conditions)
        if all(_holds(company, kind, entity, condition) for condition in conditions)
    ]
    if query.is_count:
        return {"totalCount": len(found)}
    _sort(company, kind, found, query)
    page = found[query.start - 1 : query.start - 1 + query.limit]
    if not page:
        return {}
    return {
        kind.name: [_projected(shown(company, kind, entity), query) for entity in page],
        "startPosition": query.start,
        "maxResults": len(page),
    }


_RATE = Kind("ExchangeRate", exchange_rates.FILTERABLE)
_SINGLE: dict[str, tuple[Kind, Callable[[Company], list[Entity]]]] = {
    "companyinfo": (Kind("CompanyInfo", frozenset()), lambda company: [company.info]),
    "preferences": (Kind("Preferences", frozenset()), lambda c: [company_profile.preferences(c)]),
    "exchangerate": (_RATE, exchange_rates.every),
}
"""What can be queried without being kept in a table."""


def _run_single(
    company: Company, query: Query, single: tuple[Kind, Callable[[Company], list[Entity]]]
) -> Entity:
    kind, rows = single
    conditions = [_known(kind, condition) for condition in query.conditions]
    found = [
        row
        for row in rows(company)
        if all(_holds(company, kind, row, condition) for condition in conditions)
    ]
    if query.is_count:
        return {"totalCount": len(found)}
    page = found[query.start - 1 : query.start - 1 + query.limit]
    if not page:
        return {}
    return {kind.name: page, "startPosition": query.start, "maxResults": len(page)}


def _projected(entity: Entity, query: Query) -> Entity:
    """Return the properties that were asked for; those of an entity in part are marked."""
    if not query.projection:
        return entity
    by_lower = {name.lower(): name for name in entity}
    wanted = (by_lower.get(name.split(".")[0].lower()) for name in query.projection)
    return {name: entity[name] for name in wanted if name} | {"sparse": True}


def _known(kind: Kind, condition: Condition) -> Condition:
    by_lower = {name.lower(): name for name in kind.filterable}
    name = by_lower.get(condition.property.lower())
    if name is None:
        raise bad_query(f"property '{condition.property}' is not queryable")
    if name == "Id" and condition.operator not in ("=", "IN"):
        raise bad_query(f"operator '{condition.operator}' is not supported for property 'Id'")
    return Condition(name, condition.operator, condition.values)


def _candidates(company: Company, kind: Kind, conditions: list[Condition]) -> Iterable[Entity]:
    """Return all entities to test: one by id where possible, else active ones of lists."""
    ids = next((c.values for c in conditions if c.property == "Id"), None)
    if ids is not None:
        return filter(None, (company.get(kind, identity) for identity in dict.fromkeys(ids)))
    if not kind.has_active or any(c.property == "Active" for c in conditions):
        return company.all(kind)
    return (entity for entity in company.all(kind) if entity["Active"])


def _holds(company: Company, kind: Kind, entity: Entity, condition: Condition) -> bool:
    value = _property(company, kind, entity, condition.property)
    if value is None:
        return condition.operator == "=" and condition.values[0].strip() == ""
    if condition.operator == "LIKE":
        parts = (re.escape(part) for part in condition.values[0].split("%"))
        return re.fullmatch(".*".join(parts), str(value), re.IGNORECASE | re.DOTALL) is not None
    if condition.operator == "IN":
        return any(_compare("=", value, given) for given in condition.values)
    if condition.values[0].upper() == "CURRENT_DATE":
        today = company.clock.today().isoformat()
        return _compare(condition.operator, str(value)[:10], today)
    if condition.property.startswith("MetaData."):
        return _COMPARE[condition.operator](_instant(value), _instant(condition.values[0]))
    return _compare(condition.operator, value, condition.values[0])


def _compare(operator: str, value: Any, given: str) -> bool:
    if isinstance(value, bool):
        return _COMPARE[operator](str(value).lower(), given.lower())
    if isinstance(value, Decimal | int):
        try:
            return _COMPARE[operator](value, Decimal(given))
        except InvalidOperation:
            raise bad_query(f"{given!r} is not a number") from None
    return _COMPARE[operator](str(value).casefold(), given.casefold())


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise bad_query(f"{text!r} is not a date and time") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=SERVER_ZONE)


def _property(company: Company, kind: Kind, entity: Entity, name: str) -> Any:
    value: Any = shown(company, kind, entity) if name == "Balance" else entity
    for part in name.split("."):
        value = value[0] if isinstance(value, list) and value else value
        value = value.get(part, value.get(part.lower())) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return value.get("value", value.get("Address"))
    return value


def _sort(company: Company, kind: Kind, found: list[Entity], query: Query) -> None:
    def by_id(entity: Entity) -> tuple[int, str]:
        identity = entity["Id"]
        return (int(identity) if identity.isdigit() else 0, identity)

    found.sort(key=by_id)
    by_lower = {name.lower(): name for name in kind.filterable}
    for given, descending in reversed(query.order):
        name = by_lower.get(given.lower())
        if name is None:
            raise bad_query(f"property '{given}' is not sortable")
        if name == "Id":
            found.sort(key=by_id, reverse=descending)
        else:
            found.sort(key=_sort_key(company, kind, name), reverse=descending)


def _sort_key(company: Company, kind: Kind, name: str) -> Callable[[Entity], tuple[bool, Any]]:
    def key(entity: Entity) -> tuple[bool, Any]:
        value = _property(company, kind, entity, name)
        return (value is not None, value if value is not None else "")

    return key
