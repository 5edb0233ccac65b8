"""The batch acceptor: statements in, outcomes and announcements out, in the caller's transaction.

A batch costs a fixed number of SQL statements. Whoever accepts for a book holds its lock until
the transaction ends, so numbers are gapless and no two acceptors decide about one record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import Deletion, Record
from hourbridge.common.store.rows import write_all
from hourbridge.ingestor import aliases, conflicts, order_kinds, records
from hourbridge.ingestor.acceptance import (
    Decision,
    Outcome,
    Proposal,
    Standing,
    decide_all,
    follow,
)
from hourbridge.ingestor.identity import (
    OrderKey,
    content_hash_of,
    date_of,
    microseconds_of,
    order_key_of,
)
from hourbridge.ingestor.records import Revision


@dataclass(frozen=True, slots=True)
class Statement:
    """One record as a source stated it."""

    book: str
    source: str
    record: Record
    raw_ref: str
    as_of: datetime
    """When the source's state was read, or the event was made; the order key if there is none."""
    order_key: OrderKey | None = None
    correlation_id: str | None = None

    @property
    def order(self) -> OrderKey:
        """Return the statement's place among those about the same record."""
        return self.order_key or order_key_of(self.record, self.as_of)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one statement."""

    outcome: Outcome
    record_id: str | None = None
    revision: int | None = None
    reasons: tuple[FieldReason, ...] = ()


@dataclass
class Acceptance:
    """What became of a batch: one verdict per statement, and the new revisions in sequence."""

    verdicts: list[Verdict]
    revisions: list[Revision] = field(default_factory=list)


@dataclass
class _Group:
    """The statements of a batch about one record."""

    record_id: str
    statements: list[Statement] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    positions: list[int | None] = field(default_factory=list)
    """Index into the batch; None for the content of a record that is merged into this one."""
    standing: Standing | None = None
    decision: Decision | None = None

    @property
    def book(self) -> str:
        """Return the book that the record belongs to."""
        return self.statements[0].book

    def decide(self) -> Decision:
        """Decide about all statements; remembered."""
        proposals = [
            Proposal(statement.order.value, content_hash)
            for statement, content_hash in zip(self.statements, self.hashes, strict=True)
        ]
        self.decision = decide_all(self.standing, proposals)
        return self.decision


class Acceptor:
    """Decides and stores. Stateless; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def accept(self, connection: Connection, statements: Sequence[Statement]) -> Acceptance:
        """Store what is new; everything is written in the caller's transaction.

        Idempotent: statements that were accepted before are unchanged or older.
        """
        last = records.lock_books(connection, {statement.book for statement in statements})
        return _Batch(connection, statements, self._clock.now()).run(last)

    def preview(self, connection: Connection, statements: Sequence[Statement]) -> Acceptance:
        """Return the same verdicts without locking or writing anything."""
        return _Batch(connection, statements, self._clock.now()).decide()


class _Batch:
    """One run over one batch."""

    def __init__(
        self, connection: Connection, statements: Sequence[Statement], now: datetime
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._now = now
        self._verdicts: list[Verdict | None] = [None] * len(statements)
        self._groups: dict[str, _Group] = {}
        self._identities = aliases.Identities([])
        self._kinds: order_kinds.Kinds = {}
        self._new_kinds: order_kinds.Kinds = {}

    def decide(self) -> Acceptance:
        """Reach every verdict; write nothing."""
        named = [_named(statement) for statement in self._statements]
        stated_kinds = order_kinds.scopes_of(self._statements)
        found = aliases.find(self._connection, named, stated_kinds)
        self._kinds = {**stated_kinds, **found.kinds}
        self._new_kinds = {
            scope: kind for scope, kind in stated_kinds.items() if scope not in found.kinds
        }
        usable = [i for i in range(len(self._statements)) if self._has_right_order(i)]
        self._identities = aliases.settle([named[i] for i in usable], found)
        for index, record_id in zip(usable, self._identities.record_ids, strict=True):
            statement = self._statements[index]
            self._add(record_id, statement, content_hash_of(statement.record), index)
        self._add_merged()
        known = found.standings
        for group in self._groups.values():
            group.standing = known.get(group.record_id)
            self._note(group, group.decide())
        return Acceptance([verdict for verdict in self._verdicts if verdict is not None])

    def run(self, last: dict[str, int]) -> Acceptance:
        """Decide and write; ``last`` are the numbers given so far in the books locked."""
        acceptance = self.decide()
        accepted = [group for group in self._groups.values() if _winner(group) is not None]
        withdrawn = records.present(self._connection, self._identities.merges)
        aliases.store(self._connection, self._identities)
        replaced = [group.record_id for group in accepted if group.standing is not None]
        records.keep_former(self._connection, [*replaced, *withdrawn])
        acceptance.revisions = self._write(accepted, list(withdrawn.values()), last)
        self._touch()
        conflicts.supersede(self._connection, [*replaced, *withdrawn], self._now)
        conflicts.park(self._connection, self._conflicts(), self._now)
        return acceptance

    def _has_right_order(self, index: int) -> bool:
        statement = self._statements[index]
        reason = order_kinds.check(self._kinds, statement)
        if reason is not None:
            self._verdicts[index] = Verdict(Outcome.REJECTED, reasons=(reason,))
        return reason is None

    def _add(
        self, record_id: str, statement: Statement, content_hash: str, index: int | None
    ) -> None:
        group = self._groups.setdefault(record_id, _Group(record_id))
        group.statements.append(statement)
        group.hashes.append(content_hash)
        group.positions.append(index)

    def _add_merged(self) -> None:
        """Let the content of a record that is merged away compete for the surviving one."""
        merges = self._identities.merges
        for record_id, revision in sorted(records.present(self._connection, merges).items()):
            kind = self._kinds[(revision.book, revision.source, revision.record_type)]
            statement = Statement(
                book=revision.book,
                source=revision.source,
                record=revision.state,
                raw_ref=revision.raw_ref,
                as_of=revision.accepted_at,
                order_key=OrderKey(kind, revision.order_key),
                correlation_id=revision.correlation_id,
            )
            self._add(merges[record_id], statement, revision.content_hash, None)

    def _note(self, group: _Group, decision: Decision) -> None:
        for position, outcome in zip(group.positions, decision.outcomes, strict=True):
            if position is not None:
                revision = decision.standing.revision
                self._verdicts[position] = Verdict(outcome, group.record_id, revision)

    def _write(
        self, accepted: list[_Group], withdrawn: list[Revision], last: dict[str, int]
    ) -> list[Revision]:
        """Number and write the new revisions, and fix the order of new scopes."""
        accepted.sort(key=_arrival)
        given: dict[str, int] = {}

        def following(book: str) -> int:
            given[book] = given.get(book, last[book]) + 1
            return given[book]

        numbered = [self._revision(group, following(group.book)) for group in accepted]
        numbered += [_withdrawal(old, self._now, following(old.book)) for old in withdrawn]
        sequences = [{"book": book, "last": given[book]} for book in sorted(given)]
        write_all(
            self._connection,
            [
                (order_kinds.STORE, order_kinds.rows_of(self._new_kinds)),
                (records.SET_LAST, sequences),
                records.writing([(revision, self._row(revision)) for revision in numbered]),
            ],
        )
        return numbered

    def _row(self, revision: Revision) -> dict[str, Any]:
        group = self._groups.get(revision.record_id)
        return records.row_of(
            revision,
            stated_as_of=_as_of(group) if group else microseconds_of(revision.accepted_at),
            day=date_of(revision.state),
            merged_into=self._identities.merges.get(revision.record_id),
        )

    def _revision(self, group: _Group, sequence: int) -> Revision:
        index = _winner(group)
        decision = group.decision
        if index is None or decision is None:
            raise ValueError("nothing was accepted of this record")
        statement = group.statements[index]
        return Revision(
            record_id=group.record_id,
            book=statement.book,
            source=statement.source,
            record_type=statement.record.record_type,
            revision=decision.standing.revision,
            order_key=statement.order.value,
            sequence=sequence,
            content_hash=group.hashes[index],
            state=statement.record,
            raw_ref=statement.raw_ref,
            accepted_at=self._now,
            correlation_id=statement.correlation_id,
        )

    def _touch(self) -> None:
        """Remember, of records that stay as they are, that they were stated again."""
        rows = [
            {
                "record_id": group.record_id,
                "seen_revision": group.decision.standing.seen_revision,
                "stated_as_of": _as_of(group),
            }
            for group in sorted(self._groups.values(), key=lambda group: group.record_id)
            if group.decision is not None and group.decision.accepted is None
        ]
        records.touch(self._connection, rows)

    def _conflicts(self) -> list[conflicts.Conflict]:
        found = []
        for group in self._groups.values():
            if group.decision is None:
                continue
            for index, outcome in enumerate(group.decision.outcomes):
                if outcome is Outcome.CONFLICT:
                    statement = group.statements[index]
                    found.append(
                        conflicts.Conflict(
                            record_id=group.record_id,
                            book=statement.book,
                            source=statement.source,
                            record=statement.record,
                            order_key=statement.order.value,
                            content_hash=group.hashes[index],
                            raw_ref=statement.raw_ref,
                        )
                    )
        return found


def _named(statement: Statement) -> aliases.Named:
    record = statement.record
    name = (statement.book, statement.source, record.record_type, record.external_id)
    return aliases.Named(name, record.previous_external_ids)


def _winner(group: _Group) -> int | None:
    return group.decision.accepted if group.decision else None


def _arrival(group: _Group) -> tuple[int, str]:
    position = group.positions[_winner(group) or 0]
    return (-1 if position is None else position, group.record_id)


def _as_of(group: _Group) -> int:
    return max(microseconds_of(statement.as_of) for statement in group.statements)


def _withdrawal(revision: Revision, now: datetime, sequence: int) -> Revision:
    """Return the deletion of a record that turned out to be another one under a former id."""
    state = revision.state.model_copy(update={"deleted": Deletion(at=now, how="diff")})
    standing = follow(
        Standing(revision.revision, revision.order_key, revision.content_hash),
        Proposal(revision.order_key, content_hash_of(state)),
    )
    return replace(
        revision,
        sequence=sequence,
        state=state,
        revision=standing.revision,
        content_hash=standing.content_hash,
        accepted_at=now,
    )
