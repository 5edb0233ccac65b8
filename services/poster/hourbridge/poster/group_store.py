"""What waits to be billed: open groups, their charges, supplements, carries and billed fees."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.book import Grouping
from hourbridge.common.messages.events import Charge, DocumentLine
from hourbridge.common.store.rows import statement
from hourbridge.poster.documents import HeldSupplement

# Work that came to nothing at the last run does not make a group by itself; what a person set
# aside is only billed when somebody asks. A cap may leave room by now.
_OPEN_GROUPS = statement(
    """
    SELECT engagement_key, group_key FROM (
        SELECT engagement_key, group_key, changed_at FROM charge
        WHERE book = :book AND state = 'unbilled' AND work_date <= :through
            AND (leakage IS NULL OR leakage ->> 'cause' IN ('capped', 'no_rate')
                OR leakage ->> 'cause' = 'set_aside' AND NOT :automatic)
            AND grouping <> 'payable'
            AND (CAST(:client AS text) IS NULL OR client = :client)
            AND (CAST(:project AS text) IS NULL OR project = :project)
            AND (NOT :automatic OR automatic)
            AND (CAST(:groupings AS text[]) IS NULL OR grouping = ANY(:groupings))
        UNION ALL
        SELECT engagement_key, group_key, changed_at FROM offered_supplement
        WHERE book = :book AND work_date <= :through
            AND (CAST(:client AS text) IS NULL OR payload #>> '{charge,client}' = :client)
            AND (CAST(:project AS text) IS NULL OR payload #>> '{charge,project}' = :project)
            AND (NOT :automatic OR automatic)
            AND (CAST(:groupings AS text[]) IS NULL OR grouping = ANY(:groupings))
    ) AS waiting
    GROUP BY engagement_key, group_key
    HAVING CAST(:quiet_before AS timestamptz) IS NULL OR max(changed_at) <= :quiet_before
    ORDER BY engagement_key, group_key
    """
)
_LOCK_ENGAGEMENT = statement(
    "SELECT pg_advisory_xact_lock(hashtextextended(:book || chr(31) || :engagement_key, 0))"
)
_CHARGES = """
    SELECT group_key, payload, mapping_version FROM charge
    WHERE book = :book AND engagement_key = :engagement_key AND state = 'unbilled'
        AND group_key = ANY(:groups) AND work_date <= :through
        AND NOT (:automatic AND coalesce(leakage ->> 'cause' = 'set_aside', false))
        AND (CAST(:client AS text) IS NULL OR client = :client)
        AND (CAST(:project AS text) IS NULL OR project = :project)
    ORDER BY charge_id
"""
_LOCKED_CHARGES = statement(f"{_CHARGES} FOR UPDATE")
_READ_CHARGES = statement(_CHARGES)
_SUPPLEMENTS = statement(
    """
    SELECT line_id, group_key, work_date, payload FROM offered_supplement
    WHERE book = :book AND engagement_key = :engagement_key AND group_key = ANY(:groups)
        AND work_date <= :through ORDER BY line_id
    """
)
_CARRIES = statement(
    """
    SELECT carry_key, sum(carried_seconds) AS seconds FROM document_line
    WHERE book = :book AND carry_key = ANY(:keys) AND is_live GROUP BY carry_key
    """
)
_FEES = statement(
    """
    SELECT DISTINCT ON (l.fee_key) l.fee_key, l.line_id, l.document_id FROM document_line l
    WHERE l.book = :book AND l.fee_key = ANY(:keys) AND l.is_live
        AND EXISTS (SELECT 1 FROM line_charge b WHERE b.line_id = l.line_id AND b.is_live)
    ORDER BY l.fee_key, l.line_id
    """
)
_NEWEST_MAPPING = statement(
    "SELECT coalesce(max(mapping_version), 0) FROM charge "
    "WHERE book = :book AND state = 'unbilled' AND work_date <= :through"
)


@dataclass(frozen=True)
class BillingScope:
    """What a run bills: everything unbilled of a book up to a day, or a part of it."""

    book: str
    through: date
    client: str | None = None
    project: str | None = None
    automatic: bool = False
    groupings: tuple[Grouping, ...] | None = None
    quiet_before: datetime | None = None
    run_id: str | None = None
    """The run that asked, kept with its documents."""


@dataclass(frozen=True)
class BilledFee:
    """Where a fixed fee stands."""

    line_id: str
    document_id: str


@dataclass(frozen=True)
class Waiting:
    """What some groups of one engagement have to bill."""

    charges: dict[str, list[Charge]]
    supplements: dict[str, list[HeldSupplement]]
    versions: dict[str, int]
    """The configuration versions that charges were made with, by charge id."""

    @property
    def mapping_version(self) -> int:
        """Return the newest of them."""
        return max(self.versions.values(), default=0)

    def everything(self) -> list[Charge]:
        """Return all charges, those of supplements included."""
        held = [s.charge for group in self.supplements.values() for s in group]
        return [charge for group in self.charges.values() for charge in group] + held


def open_groups(connection: Connection, scope: BillingScope) -> list[tuple[str, str]]:
    """Return (engagement, group) pairs that have something new to bill."""
    groupings = None if scope.groupings is None else list(scope.groupings)
    parameters = {
        **_filters(scope),
        "groupings": groupings,
        "quiet_before": scope.quiet_before,
    }
    return [tuple(row) for row in connection.execute(_OPEN_GROUPS, parameters)]


def lock_engagement(connection: Connection, book: str, engagement_key: str) -> None:
    """Let nobody else price or correct this engagement until the transaction ends."""
    connection.execute(_LOCK_ENGAGEMENT, {"book": book, "engagement_key": engagement_key})


def read_waiting(
    connection: Connection,
    scope: BillingScope,
    engagement_key: str,
    groups: Sequence[str],
    *,
    lock: bool,
) -> Waiting:
    """Return what ``groups`` have to bill, by group; locked in order of charge id if asked."""
    parameters = {**_filters(scope), "engagement_key": engagement_key, "groups": list(groups)}
    charges: dict[str, list[Charge]] = {}
    versions: dict[str, int] = {}
    rows = connection.execute(_LOCKED_CHARGES if lock else _READ_CHARGES, parameters)
    for row in rows.mappings():
        charge = Charge.model_validate_json(row["payload"])
        charges.setdefault(row["group_key"], []).append(charge)
        versions[charge.charge_id] = row["mapping_version"]
    supplements: dict[str, list[HeldSupplement]] = {}
    for row in connection.execute(_SUPPLEMENTS, parameters).mappings():
        supplement = HeldSupplement(
            row["line_id"],
            row["work_date"],
            DocumentLine.model_validate(row["payload"]["line"]),
            Charge.model_validate(row["payload"]["charge"]),
        )
        supplements.setdefault(row["group_key"], []).append(supplement)
    return Waiting(charges, supplements, versions)


def carries(connection: Connection, book: str, keys: Collection[str]) -> dict[str, Decimal]:
    """Return the quantity residues that live lines left, by carry key."""
    if not keys:
        return {}
    rows = connection.execute(_CARRIES, {"book": book, "keys": sorted(keys)})
    return {row.carry_key: row.seconds for row in rows}


def billed_fees(connection: Connection, book: str, keys: Collection[str]) -> dict[str, BilledFee]:
    """Return the fixed fees among ``keys`` that stand on a live line."""
    if not keys:
        return {}
    rows = connection.execute(_FEES, {"book": book, "keys": sorted(keys)})
    return {row.fee_key: BilledFee(row.line_id, row.document_id) for row in rows}


def newest_mapping(connection: Connection, scope: BillingScope) -> int:
    """Return the newest configuration version that a charge to be billed was made with."""
    parameters = {"book": scope.book, "through": scope.through}
    return int(connection.execute(_NEWEST_MAPPING, parameters).scalar_one())


def _filters(scope: BillingScope) -> dict[str, Any]:
    return {
        "book": scope.book,
        "through": scope.through,
        "client": scope.client,
        "project": scope.project,
        "automatic": scope.automatic,
    }
