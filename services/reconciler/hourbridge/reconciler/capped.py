"""Which unbilled work a cap holds back: from the configuration and what stands billed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration, CapPolicy, LedgerReference
from hourbridge.common.calendar import period_of
from hourbridge.reconciler.seen_sources import configuration_of

# Fixed fees and time count under every cap, expenses where it says so.
_BILLED = text(
    """
    SELECT coalesce(l.client, l.document_client) AS client, l.project, l.currency, l.service_date,
           coalesce(c.kind, 'time') = 'expense' AS is_expense,
           sum(CASE l.kind WHEN 'credit_memo' THEN -l.amount ELSE l.amount END) AS amount
    FROM live_line l
    LEFT JOIN LATERAL (
        SELECT kind FROM seen_charge WHERE book = :book AND charge_id = ANY(l.charge_ids) LIMIT 1
    ) c ON true
    WHERE l.book = :book AND l.is_sale
    GROUP BY 1, 2, 3, 4, 5
    """
)


@dataclass(frozen=True)
class CapOwner:
    """A client or a project with a cap, by the names that its work is reported under."""

    labels: frozenset[str]
    is_project: bool
    policy: CapPolicy

    def covers(self, row: Mapping[str, Any]) -> bool:
        """Return whether a charge or line belongs to the owner and counts under its cap."""
        label = row["project"] if self.is_project else row["client"]
        return label in self.labels and (self.policy.expenses or not row["is_expense"])

    def first_day(self, day: date | None) -> date | None:
        """Return where the cap's term of a day begins; None where the cap has no terms."""
        if self.policy.term is None or day is None:
            return None
        return period_of(day, self.policy.term).first


def cap_owners(configuration: BookConfiguration | None) -> list[CapOwner]:
    """Return all caps of a configuration."""
    if configuration is None:
        return []
    owners = [
        CapOwner(_labels(rule.client, rule.customer), is_project=False, policy=rule.cap)
        for rule in configuration.clients
        if rule.cap is not None
    ]
    owners += [
        CapOwner(_labels(rule.project, rule.job), is_project=True, policy=rule.cap)
        for rule in configuration.projects
        if rule.cap is not None
    ]
    return owners


_UNBILLED = text(
    """
    SELECT c.charge_id, c.client, c.project, c.work_date, c.kind = 'expense' AS is_expense
    FROM current_charge c WHERE c.book = :book AND NOT EXISTS (
        SELECT 1 FROM billed_charge b WHERE b.book = c.book AND b.charge_id = c.charge_id)
    """
)
# What was added later of a cut line is a line of its own that supplements it.
_RESTS = text(
    """
    WITH added AS (
        SELECT supplements_line_id AS line_id, sum(billed_seconds) AS seconds,
               sum(amount) AS amount
        FROM live_line WHERE book = :book AND supplements_line_id IS NOT NULL GROUP BY 1
    )
    SELECT coalesce(l.client, l.document_client) AS client, l.project, l.currency,
           count(*) AS lines,
           sum(greatest(l.capped_seconds - coalesce(a.seconds, 0), 0))::bigint AS seconds,
           sum(greatest(l.capped_amount - coalesce(a.amount, 0), 0)) AS value
    FROM live_line l LEFT JOIN added a USING (line_id)
    WHERE l.book = :book AND l.is_sale AND l.capped_amount > coalesce(a.amount, 0)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)


def capped_charges(connection: Connection, book: str) -> list[str]:
    """Return the unbilled charges that a cap leaves no room for."""
    owners = cap_owners(configuration_of(connection, book))
    if not owners:
        return []
    charges = [dict(row) for row in connection.execute(_UNBILLED, {"book": book}).mappings()]
    return sorted(held_back(owners, billed_amounts(connection, book), charges))


def capped_rests(connection: Connection, book: str) -> list[Mapping[str, Any]]:
    """Return what caps left unbilled of lines that they cut, by client, project and currency."""
    return [dict(row) for row in connection.execute(_RESTS, {"book": book}).mappings()]


def billed_amounts(connection: Connection, book: str) -> list[Mapping[str, Any]]:
    """Return what stands billed, by what caps look at."""
    return [dict(row) for row in connection.execute(_BILLED, {"book": book}).mappings()]


def held_back(
    owners: Sequence[CapOwner],
    billed: Iterable[Mapping[str, Any]],
    charges: Iterable[Mapping[str, Any]],
) -> set[str]:
    """Return the unbilled charges that no cap over them leaves any room for."""
    full = set(_full_terms(owners, list(billed)))
    return {
        charge["charge_id"]
        for charge in charges
        for at, owner in enumerate(owners)
        if owner.covers(charge) and (at, owner.first_day(charge["work_date"])) in full
    }


def _full_terms(
    owners: Sequence[CapOwner], billed: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, date | None]]:
    for at, owner in enumerate(owners):
        sums: dict[date | None, Decimal] = {}
        for row in billed:
            if owner.covers(row):
                term = owner.first_day(row["service_date"])
                sums[term] = sums.get(term, owner.policy.already_billed) + row["amount"]
        for term, amount in sums.items():
            if amount >= owner.policy.amount:
                yield at, term


def _labels(name: str, reference: LedgerReference | None) -> frozenset[str]:
    names = (name, reference.name if reference else None)
    return frozenset(each for each in names if each)
