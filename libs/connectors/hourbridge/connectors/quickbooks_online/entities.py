"""Lists of the ledger: customers, vendors, items and so on, by id or by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import ConfigurationInvalid, LedgerRejected
from hourbridge.connectors.ledger import LedgerEntity
from hourbridge.connectors.quickbooks_online.queries import (
    WITH_INACTIVE,
    Row,
    equals,
    select,
    select_all,
)
from hourbridge.connectors.quickbooks_online.transport import Transport

_CACHED_MAX = 5000
_PRELOADED_MAX = 1000
"""One page: small lists are read whole with one call instead of one call per name."""


@dataclass(frozen=True)
class _Kind:
    entity: str
    name: str = "Name"
    has_tree: bool = True
    type: str | None = None


_KINDS = {
    "customer": _Kind("Customer", name="DisplayName"),
    "vendor": _Kind("Vendor", name="DisplayName", has_tree=False),
    "employee": _Kind("Employee", name="DisplayName", has_tree=False),
    "item": _Kind("Item", type="Type"),
    "account": _Kind("Account", type="AccountType"),
    "class": _Kind("Class"),
    "department": _Kind("Department"),
    "term": _Kind("Term", has_tree=False),
    "tax_code": _Kind("TaxCode", has_tree=False),
}


class Entities:
    """Looks list entries up; what was found is remembered until it proves stale."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._found: dict[tuple[str, str], LedgerEntity] = {}
        self._preloaded: set[str] = set()

    def all(self, kind: str) -> Iterator[LedgerEntity]:
        """Yield every entry of a list, inactive ones too."""
        known = _kind(kind)
        for row in select_all(self._transport, known.entity, [WITH_INACTIVE]):
            yield _entity(kind, row)

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        """Return the entry that a reference names, or None; a miss asks the ledger each time.

        A name with a colon is the full path of a job or sub-entry. Raises LedgerRejected when
        several entries have the name.
        """
        key = (kind, reference.key)
        self._preload(kind)
        if key not in self._found:
            entity = self._look_up(kind, reference)
            if entity is None:
                return None
            if len(self._found) >= _CACHED_MAX:
                self._found.clear()
            self._found[key] = entity
        return self._found[key]

    def id_of(self, kind: str, reference: LedgerReference) -> str:
        """Return the id to write for a reference; raises LedgerRejected when it can't be used."""
        if reference.id is not None:
            return reference.id
        entity = self.resolve(kind, reference)
        if entity is None:
            what = f"the ledger has no {kind} named {reference.name!r}"
            raise LedgerRejected(what, reason_code="reference_unknown", kind=kind)
        if not entity.is_active:
            what = f"the {kind} {reference.name!r} is inactive in the ledger"
            raise LedgerRejected(what, reason_code="reference_inactive", kind=kind)
        return entity.ledger_id

    def forget(self) -> bool:
        """Drop what is remembered; returns whether there was anything."""
        had_some = bool(self._found)
        self._found.clear()
        self._preloaded.clear()
        return had_some

    def _preload(self, kind: str) -> None:
        """Read a list that fits one page, once; names that are not unique there stay out."""
        if kind in self._preloaded:
            return
        self._preloaded.add(kind)
        rows = select(self._transport, _kind(kind).entity, [WITH_INACTIVE], rows_max=_PRELOADED_MAX)
        if len(rows) == _PRELOADED_MAX:
            return  # there are more, among which a name could stand a second time
        by_key: dict[str, LedgerEntity | None] = {}
        for entity in (_entity(kind, row) for row in rows):
            for name in {entity.name, entity.full_name or entity.name}:
                key = LedgerReference(name=name).key
                by_key[key] = None if key in by_key else entity
            by_key[LedgerReference(id=entity.ledger_id).key] = entity
        self._found.update({(kind, key): one for key, one in by_key.items() if one is not None})

    def _look_up(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        known = _kind(kind)
        if reference.id is not None:
            condition = equals("Id", reference.id)
        else:
            condition = equals(_name_property(known, reference.name or ""), reference.name or "")
        rows = select(self._transport, known.entity, [condition, WITH_INACTIVE], rows_max=10)
        entities = [_entity(kind, row) for row in rows]
        if len(entities) > 1:
            # The service compares without regard to case, and items repeat under categories.
            entities = [one for one in entities if reference.name in (one.name, one.full_name)]
        if len(entities) > 1:
            entities = [one for one in entities if one.full_name == reference.name] or entities
        if len(entities) > 1:
            what = f"{len(entities)} entries of {kind} are named {reference.name!r}"
            raise LedgerRejected(what, reason_code="reference_ambiguous", kind=kind)
        return entities[0] if entities else None


def _kind(kind: str) -> _Kind:
    if kind not in _KINDS:
        raise ConfigurationInvalid(f"QuickBooks Online has no list {kind!r}", known=list(_KINDS))
    return _KINDS[kind]


def _name_property(kind: _Kind, name: str) -> str:
    return "FullyQualifiedName" if kind.has_tree and ":" in name else kind.name


def _entity(kind: str, row: Row) -> LedgerEntity:
    known = _KINDS[kind]
    kind_type = row.get(known.type) if known.type else None
    return LedgerEntity(
        kind=kind,
        ledger_id=row["Id"],
        name=row[known.name],
        is_active=row.get("Active", True),
        currency=row.get("CurrencyRef", {}).get("value"),
        type=kind_type,
        is_header=_is_header(kind, row),
        parent_id=row.get("ParentRef", {}).get("value"),
        full_name=row.get("FullyQualifiedName"),
        classification=str(row["Classification"]).lower() if "Classification" in row else None,
        is_project=row.get("IsProject") is True,
        income_account_id=row.get("IncomeAccountRef", {}).get("value"),
    )


def _is_header(kind: str, row: Row) -> bool:
    """Return whether nothing can be posted to an entry: a category of items, a header account."""
    if kind == "item":
        return row.get("Type") == "Category"
    return kind == "account" and row.get("Header") is True
