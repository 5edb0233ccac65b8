"""The BigTime connector opened as a poller opens it, with everything that watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from hourbridge.common.errors import LedgerThrottled
from hourbridge.common.messages.records import Record
from hourbridge.connectors.access import Exchange
from hourbridge.connectors.bigtime.settings import read_settings
from hourbridge.connectors.bigtime.signing_in import FirmKey, UserSession
from hourbridge.connectors.bigtime.source import BigTimeSource
from hourbridge.connectors.bigtime.transport import Exchanges, Transport, open_client
from hourbridge.connectors.source import Page, Source, Span, Statement

NOW = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)


@dataclass
class StoppedClock:
    """A clock that moves a second with each look, so that every reading has its own time."""

    at: datetime = NOW

    def now(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at

    def monotonic_seconds(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Budget:
    """Counts calls; refuses after ``left`` of them as the shared budget does."""

    left: int | None = None
    taken: int = 0
    pauses: list[int] = field(default_factory=list)

    def take(self) -> None:
        if self.left == 0:
            raise LedgerThrottled("used up", retry_after_seconds=3)
        if self.left is not None:
            self.left -= 1
        self.taken += 1

    def pause(self, seconds: int) -> None:
        self.pauses.append(seconds)


@dataclass
class Opened:
    """A source with everything that watches it."""

    source: Source
    transport: Transport
    clock: StoppedClock
    budget: Budget
    exchanges: list[Exchange]
    cursors: dict[str, str | None] = field(default_factory=dict)

    def page(self, feed: str, span: Span | None = None) -> Page:
        """Read one page and keep its cursor, as the ingestor does."""
        key = feed if span is None else f"{feed} {span.first}"
        page = self.source.read(feed, self.cursors.get(key), span)
        self.cursors[key] = page.cursor
        return page

    def pages(self, feed: str, span: Span | None = None) -> list[Page]:
        """Read a feed to the end of its reading."""
        found = [self.page(feed, span)]
        while not found[-1].is_last:
            found.append(self.page(feed, span))
            assert len(found) < 500, "a reading without end"
        return found

    def statements(self, feed: str, span: Span | None = None) -> list[Statement]:
        return [each for page in self.pages(feed, span) for each in page.statements]

    def records(self, feed: str, span: Span | None = None) -> list[Any]:
        """Read a feed; every row must have given a record."""
        found = self.statements(feed, span)
        assert [each.reasons for each in found if each.record is None] == []
        return [each.record for each in found]

    def by_id(self, feed: str) -> dict[str, Any]:
        return {record.external_id: record for record in self.records(feed)}


def open_source(
    url: str,
    realm: str,
    secret: str,
    *,
    user: str | None = None,
    timeout_seconds: float = 5,
    **settings: Any,
) -> Opened:
    """Open a source as ``opening.py`` does, with a watched budget and clock."""
    clock, budget = StoppedClock(), Budget()
    seen: list[Exchange] = []
    client = open_client(url, timeout_seconds=timeout_seconds)
    exchanges = Exchanges(client, budget, seen.append)
    credentials = (
        FirmKey(realm, SecretStr(secret))
        if user is None
        else UserSession(exchanges, realm, user, SecretStr(secret))
    )
    read = read_settings({"base_currency": "USD", "zone": "America/New_York", **settings})
    transport = Transport(exchanges, credentials)
    source = BigTimeSource(transport, read, realm, clock)
    return Opened(source, transport, clock, budget, seen)


class Held:
    """What an ingestor holds after taking statements in, told by ids and aliases."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.records: dict[int, Record] = {}

    def take(self, statements: list[Statement]) -> None:
        for statement in statements:
            record = statement.record
            assert record is not None, statement.reasons
            ids = (record.external_id, *record.previous_external_ids)
            known = next((self.names[each] for each in ids if each in self.names), None)
            number = len(self.names) if known is None else known
            for each in ids:
                self.names[each] = number
            self.records[number] = record
