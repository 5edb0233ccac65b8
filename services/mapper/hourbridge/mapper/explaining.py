"""Why a record became what it became: the version that mapped it, and its rules by name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.mapper import facts, stored
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.lists.resolution import links_of
from hourbridge.mapper.mapping import MappedRecord, map_accepted
from hourbridge.mapper.remembered import decided_folds
from hourbridge.mapper.rules.decided import decided
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import Links
from hourbridge.mapper.rules.subject import NO_FACTS, Facts
from hourbridge.mapper.rules.work_time import Remembered
from hourbridge.mapper.stored import StoredRecord

_READ_ONLY = text("SET TRANSACTION READ ONLY")


class Explainer:
    """Maps a stored record once more, under the version that mapped it; changes nothing."""

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations

    def explain(self, book: str, record_id: str) -> dict[str, Any]:
        """Return the mapping of a record with every rule that decided, or raise NotFound."""
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            record = stored.one(connection, book, record_id)
            if record is None:
                raise NotFound("no record has this id", book=book, record=record_id)
            version = record.change.mapping_version
            compiled = self._configurations.compiled(connection, book, version)
            made = self._configurations.version(connection, book, version)
            owner = (book, record.accepted.source)
            known = facts.known_facts(connection, [(owner, record.accepted.state)])
            links = links_of(connection, [(compiled, *owner, record.accepted.state)], known)[0]
            folds = decided_folds(connection, [((book, record_id), record.accepted.state)])
            remembered = Remembered(folds.get((book, record_id)), record.change.charges)
        return {
            **_mapping(record),
            "configuration": made and {n: made[n] for n in ("applied_at", "applied_by", "note")},
            **_rules(book, compiled, record, known.get(owner, NO_FACTS), links, remembered),
        }


def _mapping(record: StoredRecord) -> dict[str, Any]:
    change = record.change
    return {
        "record_id": change.record_id,
        "source": change.source,
        "record_type": change.record_type,
        "record_revision": change.record_revision,
        "mapping_version": change.mapping_version,
        "outcome": change.outcome,
        "reasons": [reason.model_dump(exclude_none=True) for reason in change.reasons],
        "worked_seconds": change.worked_seconds,
        "billable_seconds": change.billable_seconds,
        "charges": [charge.model_dump(mode="json", exclude_none=True) for charge in change.charges],
    }


def _rules(
    book: str,
    compiled: CompiledBook | None,
    record: StoredRecord,
    known: Facts,
    links: Links,
    remembered: Remembered,
) -> dict[str, Any]:
    """Return the rules by name, and whether they still make the charges that are stored.

    They may not where a tracker renamed something since: the charges then show what held.
    """
    if compiled is None:
        return {"rules": [], "is_reproduced": True}
    accepted = record.accepted
    again = map_accepted(book, compiled, accepted, known, links=links, remembered=remembered)
    charges = again.change.charges
    named = decided(compiled, accepted.source, accepted.state, charges, known, links)
    rules = [{"what": each.what, "rule": each.rule, "gives": each.gives} for each in named]
    return {"rules": rules, "is_reproduced": _is_same(record, again)}


def _is_same(record: StoredRecord, again: MappedRecord) -> bool:
    return (record.change.outcome, record.change.charges) == (
        again.change.outcome,
        again.change.charges,
    )
