"""Dead letters: archived from the dead queue into a table, listed, replayed, edited, discarded.

Browsing a queue would use up its deliveries, so the table is the truth and the queue stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, text

from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Bus, Outgoing
from hourbridge.common.errors import HourbridgeError, MessageInvalid
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.ids import content_hash
from hourbridge.common.store import audit, claim_check
from hourbridge.common.store.engine import Store

log = structlog.get_logger(__name__)

AFTER_REPLAY = declare("dead.after_replay", "dead letters published again, not yet marked so")
BATCH_MESSAGES_MAX = 200

_SUMMARY = (
    "id, archived_at, queue, message_id, type, book, cause, error_text, attempts, "
    "first_failed_at, state, decided_by, decided_at, decision_note"
)
_LIST = text(
    f"SELECT {_SUMMARY} FROM dead_message "  # noqa: S608 - the column list is a constant
    "WHERE state = :state AND (CAST(:cause AS text) IS NULL OR cause = :cause) "
    "ORDER BY id LIMIT :messages_max"
)
_CAUSES = text(
    "SELECT cause, count(*) AS messages FROM dead_message WHERE state = 'dead' "
    "GROUP BY cause ORDER BY cause"
)
_SHOW = text("SELECT * FROM dead_message WHERE id = :id")
_TAKE = text(
    "SELECT * FROM dead_message WHERE state = 'dead' AND id > :after "
    "AND (CAST(:cause AS text) IS NULL OR cause = :cause) "
    "AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(:ids)) "
    "ORDER BY id LIMIT :messages_max FOR UPDATE SKIP LOCKED"
)
_DECIDE = text(
    "UPDATE dead_message SET state = :state, decided_by = :actor, decided_at = now(), "
    "decision_note = :note, edited_body = :edited_body WHERE id = ANY(:ids)"
)


class DeadLetterMissing(HourbridgeError):
    """There is no dead letter with this id."""

    code = "not_found"
    advice = "List the dead letters; ids are per service."


class DecisionInvalid(HourbridgeError):
    """A decision about dead letters names none, too many, or no reason."""

    code = "request_invalid"
    advice = "Name `ids` or one `cause`; an edited `body` goes with exactly one id."


class Selection:
    """Which dead letters a decision is about: some ids, or all of a cause."""

    def __init__(self, *, ids: Sequence[int] | None = None, cause: str | None = None) -> None:
        if (ids is None) == (cause is None):
            raise DecisionInvalid("exactly one of ids and cause must be given")
        self.ids = None if ids is None else sorted(set(ids))
        self.cause = cause


class DeadLetters:
    """The dead letters of one service."""

    def __init__(self, store: Store, bus: Bus, *, from_outside: bool = False) -> None:
        """``from_outside``: others than our services send the messages.

        References in theirs are never followed.
        """
        self._store = store
        self._bus = bus
        self._from_outside = from_outside

    def find(
        self, *, cause: str | None = None, state: str = "dead", messages_max: int = 100
    ) -> list[dict[str, Any]]:
        """Return summaries, oldest first."""
        parameters = {"cause": cause, "state": state, "messages_max": messages_max}
        with self._store.transaction() as connection:
            return [dict(row) for row in connection.execute(_LIST, parameters).mappings()]

    def causes(self) -> dict[str, int]:
        """Return how many open dead letters each cause has."""
        with self._store.transaction() as connection:
            return {row.cause: row.messages for row in connection.execute(_CAUSES)}

    def show(self, id: int) -> dict[str, Any]:
        """Return one dead letter with its headers and body, data in place if it can be had."""
        with self._store.transaction() as connection:
            row = connection.execute(_SHOW, {"id": id}).mappings().first()
            if row is None:
                raise DeadLetterMissing("no such dead letter", id=id)
            return {**row, "body": self._whole(connection, bytes(row["body"]))}

    def replay(
        self, selection: Selection, *, actor: str, body: bytes | None = None
    ) -> dict[str, Any]:
        """Publish to the queues that the messages came from; return which were and weren't.

        A row is marked after the broker has confirmed, so a crash in between replays it twice,
        which consumers absorb. What was decided before is left alone, with a record of the try.
        """
        if body is not None and (selection.ids is None or len(selection.ids) != 1):
            raise DecisionInvalid("an edited body needs exactly one id")
        done = self._decide(selection, "replayed", actor=actor, note=None, body=body)
        return self._result("replayed", selection, done, actor)

    def discard(self, selection: Selection, *, actor: str, reason: str) -> dict[str, Any]:
        """Give messages up for good, with a reason."""
        if not reason.strip():
            raise DecisionInvalid("a discard needs a reason")
        done = self._decide(selection, "discarded", actor=actor, note=reason, body=None)
        return self._result("discarded", selection, done, actor)

    def _whole(self, connection: Connection, body: bytes) -> bytes:
        if self._from_outside or not claim_check.is_claim(body):
            return body
        try:
            return claim_check.redeem(connection, body)
        except (claim_check.ReferencedDataMissing, MessageInvalid):
            return body  # that may be why it is dead

    def _decide(
        self, selection: Selection, state: str, *, actor: str, note: str | None, body: bytes | None
    ) -> list[int]:
        done: list[int] = []
        while True:
            with self._store.transaction() as connection:
                rows = self._take(connection, selection, after=done[-1] if done else 0)
                if not rows:
                    return done
                if state == "replayed":
                    self._bus.publish([replayed_message(row, body) for row in rows])
                    fault_point(AFTER_REPLAY)
                self._mark(connection, rows, state, actor=actor, note=note, body=body)
            done += [row["id"] for row in rows]

    def _take(
        self, connection: Connection, selection: Selection, *, after: int
    ) -> list[dict[str, Any]]:
        parameters = {
            "ids": selection.ids,
            "cause": selection.cause,
            "after": after,
            "messages_max": BATCH_MESSAGES_MAX,
        }
        return [dict(row) for row in connection.execute(_TAKE, parameters).mappings()]

    def _mark(
        self,
        connection: Connection,
        rows: Sequence[Mapping[str, Any]],
        state: str,
        *,
        actor: str,
        note: str | None,
        body: bytes | None,
    ) -> None:
        ids = [row["id"] for row in rows]
        decision = {"state": state, "actor": actor, "note": note, "edited_body": body, "ids": ids}
        connection.execute(_DECIDE, decision)
        for row in rows:
            detail = {"queue": row["queue"], "cause": row["cause"], "note": note}
            if body is not None:
                detail["body_before"] = content_hash(bytes(row["body"]))
                detail["body_after"] = content_hash(body)
            audit.write(
                connection,
                actor=actor,
                action=f"dead.{state}",
                subject=f"dead:{row['id']}",
                book=row["book"],
                detail=detail,
            )

    def _result(
        self, state: str, selection: Selection, done: list[int], actor: str
    ) -> dict[str, Any]:
        unchanged = sorted(set(selection.ids or ()) - set(done))
        if unchanged:
            with self._store.transaction() as connection:
                for id in unchanged:
                    audit.write(
                        connection,
                        actor=actor,
                        action=f"dead.{state}_without_effect",
                        subject=f"dead:{id}",
                        detail={"why": "decided before, or no such dead letter"},
                    )
        log.info("dead_letters_decided", decision=state, messages=len(done), actor=actor)
        return {state: done, "unchanged": unchanged}


def replayed_message(row: Mapping[str, Any], body: bytes | None) -> Outgoing:
    """Return the message for the queue it died on, as if it had never failed."""
    kept = {
        name: value
        for name, value in h.carried(row["headers"]).items()
        if name not in h.ATTEMPT_HEADERS
    }
    return Outgoing(
        exchange="",
        routing_key=row["queue"],
        body=body if body is not None else bytes(row["body"]),
        message_id=row["message_id"] or "",
        type=row["type"] or "",
        headers={**kept, h.REPLAY: str(row["id"])},
    )
