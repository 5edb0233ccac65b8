"""The feeds of a BigTime firm, and what can be written to it: declared."""

from __future__ import annotations

from hourbridge.common.messages.records import RecordType
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.source import Feed, SourceCapabilities

SYSTEM = "bigtime"
CALLS_PER_MINUTE = 25
"""Below the 30 that others found; no official number is known."""

WRITABLE_LISTS = frozenset({"client", "project", "staff", "labor_code", "expense_code", "task"})
"""Terms, tax rates and classes can only be read: BigTime has no route that writes them."""

_HOUR = 3600
_FOUR_HOURS = 4 * _HOUR
_DAY = 24 * _HOUR
_LISTS = (
    ("clients", RecordType.CLIENT, 900),
    ("projects", RecordType.PROJECT, 900),
    ("staff", RecordType.STAFF_MEMBER, 900),
    ("labor_codes", RecordType.WORK_ITEM, _HOUR),
    ("tasks", RecordType.WORK_ITEM, _FOUR_HOURS),
    ("expense_codes", RecordType.PICKLIST_VALUE, _HOUR),
    ("rates", RecordType.RATE, _HOUR),
)
"""Feed, record type, the pause between readings in seconds."""


def capabilities_of(settings: BigTimeSettings) -> SourceCapabilities:
    """Return what a firm can do when it is read with these settings."""
    lists = tuple(
        Feed(
            name=name,
            record_types=frozenset({record_type}),
            reads="snapshot",
            # The reader finds them itself and asks by id: what is unchanged isn't restated.
            deletions=frozenset({"tombstone_feed"}),
            interval_seconds=pause,
            interval_seconds_max=max(_FOUR_HOURS, min(4 * pause, _DAY)),
            control_totals=True,
        )
        for name, record_type, pause in _LISTS
    )
    return SourceCapabilities(
        system=SYSTEM,
        feeds=(*lists, *_work(settings), _invoices(settings)),
        quotas=((CALLS_PER_MINUTE, 60),),
        webhook="none",
        writable_lists=WRITABLE_LISTS,
        marks=frozenset({"invoice_posted", "paid"}),
    )


def _work(settings: BigTimeSettings) -> tuple[Feed, ...]:
    return tuple(
        Feed(
            name=name,
            record_types=frozenset({record_type}),
            reads="window",
            deletions=frozenset({"diff"}),
            window_days=settings.window_days,
            has_history=True,
            control_totals=True,
        )
        for name, record_type in (
            ("time", RecordType.TIME_ENTRY),
            ("expenses", RecordType.EXPENSE),
        )
    )


def _invoices(settings: BigTimeSettings) -> Feed:
    return Feed(
        name="invoices",
        record_types=frozenset({RecordType.COMPOSED_INVOICE}),
        reads="window",
        deletions=frozenset({"tombstone_feed"}),
        interval_seconds=900,
        window_days=settings.invoice_window_days,
        has_history=True,
        control_totals=True,
    )
