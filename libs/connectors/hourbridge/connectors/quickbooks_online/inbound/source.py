"""One company of QuickBooks Online as a Source."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import structlog

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid, SourceError, SourceRefused
from hourbridge.common.messages.records import Attachment
from hourbridge.connectors.quickbooks_online.inbound.asking import Asking
from hourbridge.connectors.quickbooks_online.inbound.capturing import (
    Capturing,
    is_too_old,
    too_old,
)
from hourbridge.connectors.quickbooks_online.inbound.cursors import Cursor, read_cursor
from hourbridge.connectors.quickbooks_online.inbound.feeds import Table, tables
from hourbridge.connectors.quickbooks_online.inbound.paging import Paging, reading_of
from hourbridge.connectors.quickbooks_online.inbound.telling import Told
from hourbridge.connectors.quickbooks_online.queries import PAGE_ROWS
from hourbridge.connectors.quickbooks_online.transport import Transport
from hourbridge.connectors.source import Page, SourceCapabilities, Span

log = structlog.get_logger(__name__)

SYSTEM = "quickbooks_online"
_DAY = timedelta(days=1)


class QuickBooksOnlineSource:
    """Reads lists, time, payments and touched documents of one company."""

    def __init__(self, transport: Transport, clock: Clock, *, page_rows: int = PAGE_ROWS) -> None:
        self._asking = Asking(transport)
        self._clock = clock
        self._tables = tables(self._asking)
        self._paging = Paging(self._asking, page_rows)
        self._capturing = Capturing(self._asking)
        self._capabilities = SourceCapabilities(
            system=SYSTEM,
            feeds=tuple(table.feed for table in self._tables.values()),
            quotas=((500, 60), (10, 1)),
            webhook="hint",
        )

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this source can do."""
        return self._capabilities

    def read(self, feed: str, cursor: str | None, span: Span | None = None) -> Page:
        """Return the next page of a feed; see ``Source.read``."""
        table = self._table(feed)
        position = read_cursor(cursor) if cursor is not None else None
        if table.way == "rates" and not self._has_rates():
            return self._nothing(table)
        if span is not None:
            return self._history(table, position, span)
        page = self._regular(table, position or self._first(table))
        for note in page.notes:
            log.warning("reading_incomplete", feed=feed, company=self._asking.company_id, note=note)
        return page

    def gone(self, feed: str, external_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that the company, asked one by one, has no more."""
        table = self._table(feed)
        if table.way in ("single", "rates"):
            return frozenset()
        return frozenset(each for each in external_ids if self._is_gone(table, each))

    def file(self, attachment: Attachment) -> bytes:
        """Refuse: nothing that is read here has files."""
        raise SourceRefused(
            "no files are read from the ledger", reason_code="no_file", file=attachment.id
        )

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the connection; empty when it can be used."""
        try:
            self._asking.single(f"companyinfo/{self._asking.company_id}", "CompanyInfo")
        except SourceError as error:
            return (str(error),)
        return ()

    def close(self) -> None:
        """Release connections."""
        self._asking.close()

    def _table(self, feed: str) -> Table:
        if feed not in self._tables:
            known = ", ".join(self._tables)
            raise ConfigurationInvalid(f"QuickBooks Online has no feed {feed!r}; it has {known}")
        return self._tables[feed]

    def _first(self, table: Table) -> Cursor:
        """Return where a feed begins that was never read."""
        if table.first_days is None:
            return Cursor("whole")
        return Cursor("changes", since=self._clock.now() - table.first_days * _DAY)

    def _history(self, table: Table, position: Cursor | None, span: Span) -> Page:
        if not table.feed.has_history:
            raise ConfigurationInvalid(f"{table.feed.name} has no history to read")
        if position is None or position.mode != "span":
            position = Cursor("span")
        return self._paging.read(table, position, span)

    def _regular(self, table: Table, position: Cursor) -> Page:
        if table.way == "single":
            return self._single(table)
        if position.mode == "changes" and table.way == "captured":
            return self._captured(table, position)
        return self._paging.read(table, _paged(table, position), None)

    def _captured(self, table: Table, position: Cursor) -> Page:
        since = position.since or self._clock.now()
        if is_too_old(since, self._clock.now()):
            return self._resync(table, position)
        try:
            return self._capturing.read(table, position, since)
        except SourceRefused:
            # The service's clock may be ahead of ours: it knows best what is too old.
            if self._clock.now() - since < _DAY:
                raise
            return self._resync(table, position)

    def _resync(self, table: Table, position: Cursor) -> Page:
        following, note = too_old(table, position)
        page = self._paging.read(table, following, None)
        return replace(page, notes=(note, *page.notes))

    def _single(self, table: Table) -> Page:
        (entity,) = table.entities
        answer = self._asking.single(table.path, entity)
        told = Told()
        table.tell(entity, answer.rows, told)
        reading = reading_of(table, Cursor("whole"), answer.answered_at, None)
        cursor = Cursor("changes", since=answer.answered_at)
        return Page(reading, tuple(told.statements), cursor.text(), True)

    def _has_rates(self) -> bool:
        """Return whether the company keeps several currencies; others have no rates to ask for."""
        (preferences,) = self._asking.single("preferences", "Preferences").rows
        return preferences.get("CurrencyPrefs", {}).get("MultiCurrencyEnabled") is True

    def _nothing(self, table: Table) -> Page:
        now = self._clock.now()
        reading = reading_of(table, Cursor("changes", since=now), now, None)
        return Page(reading, (), self._first(table).text(), True)

    def _is_gone(self, table: Table, external_id: str) -> bool:
        parts = external_id.split(":")
        entity = parts[1] if len(parts) == 3 else table.entities[0]
        if entity not in table.entities:
            return False
        return self._asking.one(f"{entity.lower()}/{parts[-1]}", entity) is None


def _paged(table: Table, position: Cursor) -> Cursor:
    """Return the position in pages of a feed that is read by them."""
    if position.mode != "changes":
        return position
    return Cursor("whole") if table.way == "whole" else Cursor("catch_up", since=position.since)
