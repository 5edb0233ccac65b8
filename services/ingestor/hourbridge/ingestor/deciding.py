"""Deciding conflicts: which of two contents of one version holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from hourbridge.common.messages.records import RECORD_MODELS, RecordType
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.rows import write_all
from hourbridge.ingestor import conflicts, records
from hourbridge.ingestor.acceptance import Proposal, Standing, follow
from hourbridge.ingestor.identity import date_of
from hourbridge.ingestor.records import Revision

Choice = Literal["kept", "new"]


def decide(
    connection: Connection,
    conflict_id: str,
    *,
    choice: str,
    actor: str,
    note: str | None,
    now: datetime,
) -> Revision | None:
    """Keep what stands, or let the parked content take effect as a new revision of its version.

    Returns the new revision to announce, None when what stands is kept. Raises NotFound when
    nothing waits under this id.
    """
    if choice not in ("kept", "new"):
        raise RequestInvalid("choice must be kept or new", choice=choice)
    found = conflicts.take(connection, conflict_id)
    if found is None or found["decision"] != "open":
        raise NotFound("no open conflict has this id", id=conflict_id)
    revision = _take_effect(connection, found, now) if choice == "new" else None
    decision = "taken" if choice == "new" else "kept"
    conflicts.decide(connection, conflict_id, decision=decision, actor=actor, note=note, now=now)
    audit.write(
        connection,
        actor=actor,
        action=f"conflict.{decision}",
        subject=found["record_id"],
        book=found["book"],
        detail={"conflict_id": conflict_id, "note": note, "order_key": found["order_key"]},
    )
    return revision


def _take_effect(connection: Connection, found: dict[str, Any], now: datetime) -> Revision:
    records.lock_books(connection, [found["book"]])
    standing = records.standings(connection, [found["record_id"]])[found["record_id"]]
    if standing.seen_revision != found["order_key"]:
        raise NotFound("a newer version has arrived since", id=found["conflict_id"])
    state = RECORD_MODELS[RecordType(found["record_type"])].model_validate(found["stated_state"])
    proposal = Proposal(found["order_key"], found["stated_hash"])
    new: Standing = follow(standing, proposal)
    revision = Revision(
        record_id=found["record_id"],
        book=found["book"],
        source=found["source"],
        record_type=RecordType(found["record_type"]),
        revision=new.revision,
        order_key=proposal.order_key,
        sequence=records.advance(connection, {found["book"]: 1})[found["book"]],
        content_hash=proposal.content_hash,
        state=state,
        raw_ref=found["raw_ref"],
        accepted_at=now,
    )
    records.keep_former(connection, [revision.record_id])
    row = records.row_of(revision, stated_as_of=0, day=date_of(state))
    write_all(connection, [records.writing([(revision, row)])])
    return revision
