"""The stand-in as a source, read to the end of each reading."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from hourbridge.connectors.connections import ConnectionStore
from hourbridge.connectors.quickbooks_online.connecting import open_transport
from hourbridge.connectors.quickbooks_online.inbound.source import QuickBooksOnlineSource
from hourbridge.connectors.source import Page, Span, Statement
from hourbridge.sandbox.quickbooks_online import SandboxServer


@dataclass
class Reader:
    """Reads a source as the ingestor does: page by page, keeping each feed's position."""

    source: QuickBooksOnlineSource
    cursors: dict[str, str] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)

    def read(self, feed: str) -> list[Statement]:
        """Return what one reading states; its pages stay in ``pages``."""
        self.pages = []
        while not self.pages or not self.pages[-1].is_last:
            page = self.source.read(feed, self.cursors.get(feed))
            self.cursors[feed] = page.cursor
            self.pages.append(page)
        assert len({page.reading.reading_id for page in self.pages}) == 1
        return [statement for page in self.pages for statement in page.statements]

    def history(self, feed: str, span: Span) -> list[Statement]:
        """Return what a span of days states."""
        self.pages, cursor = [], None
        while not self.pages or not self.pages[-1].is_last:
            page = self.source.read(feed, cursor, span)
            cursor = page.cursor
            self.pages.append(page)
        return [statement for page in self.pages for statement in page.statements]

    def names(self, feed: str) -> dict[str, Any]:
        """Return the records of one reading by external id."""
        return {each.record.external_id: each.record for each in self.read(feed)}


@pytest.fixture
def open_reader(
    connections: ConnectionStore, sandbox: SandboxServer
) -> Iterator[Callable[..., Reader]]:
    """Open the source; ``page_rows`` makes pages small."""
    with contextlib.ExitStack() as opened:

        def open_it(**options: Any) -> Reader:
            transport = open_transport(
                connections.get("main"),
                connections,
                timeout_seconds=5,
                observer=lambda _exchange: None,
                caller="reading",
            )
            clock = sandbox.world.clock
            source = QuickBooksOnlineSource(transport, clock, **options)
            opened.enter_context(contextlib.closing(source))
            return Reader(source)

        yield open_it


@pytest.fixture
def reader(open_reader: Callable[..., Reader], books: Any) -> Reader:
    return open_reader()
