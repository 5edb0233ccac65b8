"""Acting on a delivery, in one transaction: statements are accepted, hints wake feeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.messages.events import FieldReason
from hourbridge.common.store.outbox import Outbox
from hourbridge.common.store.rows import bulk, statement
from hourbridge.connectors.webhooks import Delivery, Pushed
from hourbridge.ingestor import intake
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptor, Statement, Verdict
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.api_keys import Caller
from hourbridge.ingestor.cloudevents import Reported
from hourbridge.ingestor.identity import OrderKey, OrderKind
from hourbridge.ingestor.intake import Arrival
from hourbridge.ingestor.payloads import Payload
from hourbridge.ingestor.polling import door, schedule
from hourbridge.ingestor.records import lock_books
from hourbridge.ingestor.webhooks.routing import Recipient, Routing, Target

_REMEMBER_HINTS = statement(
    """
    INSERT INTO received_event (book, source, event_source, event_id, outcome, received_at)
    SELECT :book, :source, :event_source, event_id, 'hinted', CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(event_id text)
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)


@dataclass
class Result:
    """What became of a delivery's events."""

    verdicts: list[Verdict] = field(default_factory=list)
    """Of statements, in no order."""
    reasons: list[FieldReason] = field(default_factory=list)
    """Why statements can't be used, each with its place in the delivery."""
    hinted: int = 0
    repeated: int = 0
    """Hints that were known already."""
    unconcerned: int = 0
    unrouted: int = 0
    """Events of companies that no source reads."""
    announced: int = 0
    """Messages that wait to be published."""
    books: set[str] = field(default_factory=set)

    @property
    def outcome(self) -> str:
        """Return what became of the delivery as a whole, as payloads tell it."""
        outcomes = {verdict.outcome.value for verdict in self.verdicts}
        if len(outcomes) == 1:
            return outcomes.pop()
        if outcomes:
            return "mixed"
        if self.hinted or self.repeated:
            return "hinted" if self.hinted else "duplicate"
        return "unknown" if self.unrouted else "nothing"

    @property
    def is_unusable(self) -> bool:
        """Return whether there is nothing in it that could be used."""
        used = self.hinted + self.repeated + self.unconcerned
        return not used and bool(self.verdicts) and self.outcome == Outcome.REJECTED.value


@dataclass(frozen=True)
class Actor:
    """Acts on deliveries, in the caller's transaction."""

    acceptor: Acceptor
    outbox: Outbox
    routing: Routing

    def act(
        self,
        connection: Connection,
        recipient: Recipient,
        delivery: Delivery,
        payload: Payload,
        now: datetime,
    ) -> Result:
        """Take every event of a delivery; those that were taken before have no effect."""
        result = Result()
        by_target = self._by_target(connection, recipient, delivery, result)
        lock_books(connection, {target.book for target in by_target})
        for target in sorted(by_target):
            self._statements(connection, recipient, target, by_target[target], payload, now, result)
            self._hints(connection, recipient, target, by_target[target], now, result)
        result.books = {target.book for target in by_target}
        if len(by_target) == 1:
            (target,) = by_target
            payload.book, payload.source = target.book, target.source
        payload.outcome, payload.reasons = result.outcome, tuple(result.reasons)
        if len(delivery.events) == 1:
            payload.event_id = delivery.events[0].event_id
        return result

    def _by_target(
        self, connection: Connection, recipient: Recipient, delivery: Delivery, result: Result
    ) -> dict[Target, list[tuple[int, Pushed]]]:
        found: dict[Target, list[tuple[int, Pushed]]] = {}
        known: dict[str | None, list[Target]] = {}
        for index, pushed in enumerate(delivery.events):
            if recipient.target is not None:
                targets = [recipient.target]
            elif pushed.account in known:
                targets = known[pushed.account]
            else:
                targets = self.routing.targets(connection, recipient.system, pushed.account)
                known[pushed.account] = targets
            for target in targets:
                found.setdefault(target, []).append((index, pushed))
            if not targets:
                _unrouted(result, index, pushed)
        return found

    def _statements(
        self,
        connection: Connection,
        recipient: Recipient,
        target: Target,
        events: Sequence[tuple[int, Pushed]],
        payload: Payload,
        now: datetime,
        result: Result,
    ) -> None:
        rules = door.load(connection, target.book, target.source)
        arrivals, indexes, kept_out = [], [], []
        for index, pushed in events:
            if pushed.statement is None:
                result.unconcerned += pushed.hint is None
                continue
            arrival = _arrival(recipient.system, target, index, pushed, payload)
            record = pushed.statement.record
            if record is not None and not rules.permits(record):
                kept_out.append(_kept_out(arrival))
                result.verdicts.append(Verdict(Outcome.SKIPPED))
                continue
            arrivals.append(arrival)
            indexes.append(index)
        door.keep_out(connection, [each for each in kept_out if each is not None], now)
        if not arrivals:
            return
        acceptance = intake.accept_once(connection, self.acceptor, arrivals, now)
        self.outbox.add(connection, [announce(new) for new in acceptance.revisions])
        result.announced += len(acceptance.revisions)
        result.verdicts += acceptance.verdicts
        result.reasons += _placed(indexes, acceptance.verdicts)

    def _hints(
        self,
        connection: Connection,
        recipient: Recipient,
        target: Target,
        events: Sequence[tuple[int, Pushed]],
        now: datetime,
        result: Result,
    ) -> None:
        stated = [(pushed.event_id, pushed.hint) for _, pushed in events if pushed.hint]
        if not stated:
            return
        hints = dict(stated)
        names = {"book": target.book, "source": target.source}
        rows = [{"event_id": event_id} for event_id in sorted(hints)]
        source = f"{_event_source(recipient.system)}:hint"
        found = bulk(connection, _REMEMBER_HINTS, rows, **names, event_source=source, now=now)
        fresh = [row.event_id for row in found]
        result.hinted += len(fresh)
        result.repeated += len(stated) - len(fresh)
        by_feed = {hints[event_id].feed: hints[event_id] for event_id in sorted(fresh)}
        for feed in sorted(by_feed):
            hint = by_feed[feed]
            reason = " ".join(part for part in ("webhook", hint.what) if part)
            schedule.wake(
                connection,
                **names,
                feed=feed,
                reason=reason,
                entity=hint.entity,
                entity_id=hint.entity_id,
                now=now,
            )


def _unrouted(result: Result, index: int, pushed: Pushed) -> None:
    """Count an event that concerns nobody here; what can't be read may not even say whom."""
    stated = pushed.statement
    if stated is None or stated.record is not None:
        result.unrouted += 1
        return
    verdict = Verdict(Outcome.REJECTED, reasons=stated.reasons)
    result.verdicts.append(verdict)
    result.reasons += _placed([index], [verdict])


def _event_source(system: str) -> str:
    return f"webhook:{system}"


def _arrival(system: str, target: Target, index: int, pushed: Pushed, payload: Payload) -> Arrival:
    """Return an event in the form in which HTTP's events are taken."""
    stated = pushed.statement
    record = stated.record if stated is not None else None
    reasons = stated.reasons if stated is not None else ()
    reported = Reported(
        event_id=pushed.event_id,
        event_source=_event_source(system),
        event_type=None,
        book=None,
        time=None,
        correlation_id=payload.payload_id,
        record=record,
        reasons=reasons,
    )
    order_key = None
    if stated is not None and record is not None and stated.order_key is not None:
        is_version = record.external_version == str(stated.order_key)
        kind = OrderKind.VERSION if is_version else OrderKind.TIME
        order_key = OrderKey(kind, stated.order_key)
    caller = Caller(book=target.book, source=target.source)
    raw_ref = f"{payload.reference}#{index}"
    return Arrival(reported, caller, raw_ref, payload.received_at, order_key)


def _kept_out(arrival: Arrival) -> Statement | None:
    found = intake.statement_of(arrival)
    return found if isinstance(found, Statement) else None


def _placed(indexes: Sequence[int], verdicts: Sequence[Verdict]) -> Iterable[FieldReason]:
    for index, verdict in zip(indexes, verdicts, strict=True):
        for reason in verdict.reasons:
            yield FieldReason(
                field=f"[{index}].{reason.field}", code=reason.code, detail=reason.detail
            )
