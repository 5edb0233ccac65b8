"""The feeds of a company: what each reads, how, and what becomes of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from hourbridge.common.messages.records import RecordType
from hourbridge.connectors.quickbooks_online.inbound.asking import Asking, Row
from hourbridge.connectors.quickbooks_online.inbound.list_entries import (
    ENTITIES,
    TREES,
    tell_entries,
    tell_gone,
)
from hourbridge.connectors.quickbooks_online.inbound.payments import Payments
from hourbridge.connectors.quickbooks_online.inbound.single_entries import (
    tell_company,
    tell_preferences,
    tell_rates,
)
from hourbridge.connectors.quickbooks_online.inbound.telling import Told
from hourbridge.connectors.quickbooks_online.inbound.time_activities import TimeActivities
from hourbridge.connectors.quickbooks_online.inbound.transactions import (
    DOCUMENTS,
    TIME_ACTIVITY,
    tell_deleted,
    tell_touched,
)
from hourbridge.connectors.source import Deletions, Feed

Way = Literal["captured", "queried", "whole", "single", "rates"]
"""captured: change data capture; queried: by the time of the last change, where capture has gaps;
whole: small lists without either; single: one object; rates: exchange rates, which have no id."""

_HOUR_SECONDS = 3600
_SLOW_SECONDS = 4 * _HOUR_SECONDS
_NOT_CAPTURED = ("tax_code", "tax_rate")
_TOMBSTONES: tuple[Deletions, ...] = ("tombstone_feed",)


class Tell(Protocol):
    """Makes statements of rows."""

    def __call__(
        self, entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None
    ) -> None:
        """Add the statements of rows of one entity."""
        ...


class TellGone(Protocol):
    """Makes statements of tombstones."""

    def __call__(self, entity: str, rows: Sequence[Row], told: Told) -> None:
        """Add the statements that objects of one entity are gone."""
        ...


@dataclass(frozen=True)
class Table:
    """One feed: where its rows come from and who tells them."""

    feed: Feed
    way: Way
    entities: tuple[str, ...]
    tell: Tell
    tell_gone: TellGone | None = None
    path: str = ""
    """Of single objects: where they are."""
    has_inactive: bool = False
    is_tree: bool = False
    queried: frozenset[str] = frozenset()
    """Of the entities: those that capture doesn't know; they are asked for by query."""
    first_days: int | None = None
    """How far back a feed without a position begins; None: with the whole list."""

    @property
    def is_list(self) -> bool:
        """Whether the first reading, and one after too long a pause, is of everything."""
        return self.first_days is None


def tables(asking: Asking) -> dict[str, Table]:
    """Return every feed by its name."""
    lists = [_list(name) for name in ENTITIES]
    found = [*lists, *_single(asking.company_id), *_documents(asking)]
    return {table.feed.name: table for table in found}


def _single(company_id: str) -> list[Table]:
    """Return what a company has one of, and its exchange rates."""
    return [
        Table(
            _entries("exchange_rate", "changed_since", has_history=True),
            "rates",
            ("ExchangeRate",),
            tell_rates,
            first_days=30,
        ),
        Table(
            _entries("company", "snapshot", interval_seconds=_HOUR_SECONDS),
            "single",
            ("CompanyInfo",),
            tell_company,
            path=f"companyinfo/{company_id}",
        ),
        Table(
            _entries("preferences", "snapshot"),
            "single",
            ("Preferences",),
            tell_preferences,
            path="preferences",
        ),
    ]


def _documents(asking: Asking) -> list[Table]:
    """Return what moves: time, payments, and documents that somebody touched."""
    payments, activities = Payments(asking), TimeActivities(asking.company_id)
    return [
        Table(
            Feed(
                "time_activity",
                frozenset({RecordType.TIME_ENTRY}),
                "changed_since",
                deletions=frozenset({"diff", "webhook"}),
                has_history=True,
                control_totals=True,
            ),
            "queried",
            (TIME_ACTIVITY,),
            activities.tell,
            first_days=1,
        ),
        Table(
            Feed(
                "payment",
                frozenset({RecordType.PAYMENT}),
                "change_feed",
                deletions=frozenset({"tombstone_feed"}),
                has_history=True,
                control_totals=True,
            ),
            "captured",
            ("Payment",),
            payments.tell,
            payments.tell_gone,
            first_days=29,
        ),
        Table(
            _entries("changes", "change_feed", deletions=_TOMBSTONES, has_history=True),
            "captured",
            (*DOCUMENTS, TIME_ACTIVITY),
            tell_touched,
            tell_deleted,
            queried=frozenset({TIME_ACTIVITY}),
            first_days=1,
        ),
    ]


def _list(name: str) -> Table:
    entity = ENTITIES[name]
    if name in _NOT_CAPTURED:
        feed = _entries(name, "snapshot", deletions=("diff",), interval_seconds=_HOUR_SECONDS)
        return Table(feed, "whole", (entity,), tell_entries, has_inactive=True)
    return Table(
        _entries(name, "change_feed", deletions=(*_TOMBSTONES, "webhook", "diff")),
        "captured",
        (entity,),
        tell_entries,
        tell_gone,
        has_inactive=True,
        is_tree=name in TREES,
    )


def _entries(
    name: str,
    reads: Literal["changed_since", "change_feed", "snapshot"],
    *,
    deletions: Sequence[Deletions] = ("none",),
    interval_seconds: int = 240,
    has_history: bool = False,
) -> Feed:
    return Feed(
        name,
        frozenset({RecordType.LIST_ENTRY}),
        reads,
        deletions=frozenset(deletions),
        interval_seconds=interval_seconds,
        interval_seconds_max=_SLOW_SECONDS,
        has_history=has_history,
        control_totals=True,
    )
