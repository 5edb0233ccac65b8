"""Reads one connection: turn after turn, a page each, while it holds the connection's lease."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from hourbridge.common.clock import Clock
from hourbridge.common.errors import (
    HourbridgeError,
    LedgerAuthorizationExpired,
    LedgerThrottled,
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceThrottled,
)
from hourbridge.common.store.engine import Store
from hourbridge.common.store.heartbeat import kept_alive
from hourbridge.common.store.leases import Lease, LeaseLost, Leases
from hourbridge.connectors.source import Feed, Page, Source
from hourbridge.ingestor import metrics as intake_metrics
from hourbridge.ingestor.flood_gate import FloodGates
from hourbridge.ingestor.polling import keeping, metrics, readings, receipts, turns
from hourbridge.ingestor.polling.opened import OpenSources
from hourbridge.ingestor.polling.pages import PageKeeper
from hourbridge.ingestor.polling.readings import Progress
from hourbridge.ingestor.polling.receipts import Files
from hourbridge.ingestor.polling.schedule import failure_pause
from hourbridge.ingestor.polling.turns import Turn, TurnLost
from hourbridge.ingestor.polling.vanished import Deleter

log = structlog.get_logger(__name__)

BROKEN_PAUSE = timedelta(seconds=60)
"""Before a refused connection is tried again, should nothing have marked it as broken."""


@dataclass(frozen=True)
class ReaderTools:
    """What every reader works with."""

    store: Store
    leases: Leases
    sources: OpenSources
    pages: PageKeeper
    deleter: Deleter
    gates: FloodGates
    clock: Clock
    stopping: threading.Event
    lease_seconds: float
    slice_seconds: float
    """How long a reader goes on before others get its thread."""


class Reader:
    """Reads what is due of one connection."""

    def __init__(self, connection: str, tools: ReaderTools) -> None:
        self._connection = connection
        self._tools = tools

    def run(self) -> int:
        """Take turns; return how many (0 when another replica reads the connection)."""
        tools = self._tools
        lease = tools.leases.acquire(f"poll:{self._connection}", ttl_seconds=tools.lease_seconds)
        if lease is None:
            return 0
        with kept_alive(tools.leases, lease, ttl_seconds=tools.lease_seconds):
            try:
                return self._work(lease)
            finally:
                tools.leases.release(lease)

    def _work(self, lease: Lease) -> int:
        tools = self._tools
        until = tools.clock.monotonic_seconds() + tools.slice_seconds
        taken = 0
        while not tools.stopping.is_set():
            with tools.store.transaction() as connection:
                turn = turns.following(connection, self._connection, tools.clock.now())
            if turn is None or not self._take(lease, turn):
                break
            taken += 1
            if tools.clock.monotonic_seconds() >= until:
                break
        return taken

    def _take(self, lease: Lease, turn: Turn) -> bool:
        """Take one turn; return whether the connection may be read on."""
        try:
            if self._is_held_back(turn):
                return True
            self._read(lease, turn)
        except (TurnLost, LeaseLost) as error:
            log.warning("poll_turn_lost", **turn.names, code=error.code, error=str(error))
            return False
        except (SourceThrottled, LedgerThrottled) as error:
            self._hold(turn, error, error.retry_after_seconds)
            return False
        except (SourceAuthorizationExpired, LedgerAuthorizationExpired) as error:
            self._break(turn, error)
            return False
        except HourbridgeError as error:
            self._fail(turn, error, error.code)
        except Exception as error:  # noqa: BLE001 - a defect in one connector must not stop others
            log.exception("poll_turn_failed", **turn.names)
            self._fail(turn, error, "defect")
        return True

    def _is_held_back(self, turn: Turn) -> bool:
        """Put a turn off while its book floods."""
        tools = self._tools
        gate = tools.gates.work if turn.span is None else tools.gates.bulk
        wait_seconds = gate.wait_seconds(turn.book)
        if not wait_seconds:
            return False
        intake_metrics.HELD_BACK.labels("poll").inc()
        error = HourbridgeError("the book's backlog is being worked off")
        self._rest(turn, error, "held_back", timedelta(seconds=wait_seconds))
        return True

    def _read(self, lease: Lease, turn: Turn) -> None:
        tools = self._tools
        source = tools.sources.get(turn.connection)
        feed = source.capabilities.feed(turn.feed)
        progress = self._in_progress(turn)
        if progress is not None and progress.state == "deleting":
            tools.deleter.settle(lease, turn, progress, source)
            return
        started = tools.clock.now() if progress is None else progress.started_at
        page = source.read(turn.feed, turn.cursor, turn.span)
        files = self._files(turn, page, source, started, is_first=progress is None)
        progress = tools.pages.keep(lease, turn, page, files, claims=_claims(feed), started=started)
        if progress.state == "deleting":
            settled = replace(turn, cursor=page.cursor, reading_id=progress.reading_id)
            tools.deleter.settle(lease, settled, progress, source)

    def _in_progress(self, turn: Turn) -> Progress | None:
        if turn.reading_id is None:
            return None
        with self._tools.store.transaction() as connection:
            return readings.get(connection, turn.reading_id)

    def _files(
        self, turn: Turn, page: Page, source: Source, started: datetime, *, is_first: bool
    ) -> Files:
        """Fetch the receipts that a page names, and at a reading's start those missing so far."""
        stated = [each.record for each in page.statements if each.record is not None]
        wanted = receipts.needed(stated)
        with self._tools.store.transaction() as connection:
            late = receipts.missing(connection, turn) if is_first else {}
            wanted = {**late, **wanted}
            noted = receipts.known(connection, turn, wanted) if wanted else {}
        return receipts.fetch(source, wanted, noted, started) if wanted else Files()

    def _hold(
        self, turn: Turn, error: SourceThrottled | LedgerThrottled, pause_seconds: int
    ) -> None:
        """Wait as the account asked, with all of its feeds."""
        tools = self._tools
        now = tools.clock.now()
        pause = timedelta(seconds=max(pause_seconds, 1))
        metrics.FAILURES.labels(turn.book, turn.source, turn.feed, error.code).inc()
        with tools.store.transaction() as connection:
            turns.fail(
                connection, turn, error, code=error.code, pause=pause, now=now, is_failure=False
            )
            turns.hold(connection, turn.connection, now + pause)

    def _break(
        self, turn: Turn, error: SourceAuthorizationExpired | LedgerAuthorizationExpired
    ) -> None:
        log.warning("source_broken", connection=turn.connection, error=str(error))
        self._rest(turn, error, error.code, BROKEN_PAUSE)
        self._tools.sources.broken(turn.connection, error)

    def _fail(self, turn: Turn, error: Exception, code: str) -> None:
        log.warning("poll_failed", **turn.names, code=code, error=str(error))
        if isinstance(error, SourceAnswerUnreadable) and error.raw:
            self._keep_unreadable(turn, error)
        self._rest(turn, error, code, failure_pause(turn.failures + 1), is_failure=True)

    def _rest(
        self,
        turn: Turn,
        error: Exception,
        code: str,
        pause: timedelta,
        *,
        is_failure: bool = False,
    ) -> None:
        now = self._tools.clock.now()
        metrics.FAILURES.labels(turn.book, turn.source, turn.feed, code).inc()
        with self._tools.store.transaction() as connection:
            turns.fail(
                connection, turn, error, code=code, pause=pause, now=now, is_failure=is_failure
            )

    def _keep_unreadable(self, turn: Turn, error: SourceAnswerUnreadable) -> None:
        payload = keeping.payload_of(turn, error.raw, self._tools.clock.now())
        payload.outcome, payload.content_type = "unreadable", None
        with self._tools.store.transaction() as connection:
            keeping.keep(connection, [payload])


def _claims(feed: Feed) -> bool:
    """Return whether a feed's complete readings speak for the records it states."""
    return feed.reads in ("window", "snapshot") or "diff" in feed.deletions
