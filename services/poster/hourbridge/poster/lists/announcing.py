"""What the mapper is told about a change of a list."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.charges import Reason
from hourbridge.common.messages.events import ListChangeDone
from hourbridge.common.messages.publishing import new_event, outgoing
from hourbridge.common.messages.registry import LIST_CHANGE_DONE
from hourbridge.poster.announcements import EVENT_SOURCE
from hourbridge.poster.lists.operation_store import TakenChange
from hourbridge.poster.lists.outcomes import Done, ListOutcome, Refused

Told = Literal["written", "adopted", "waiting", "refused"]


def told_of(outcome: ListOutcome) -> Told:
    """Return the word for an outcome."""
    if isinstance(outcome, Done):
        return "adopted" if outcome.is_adopted else "written"
    return "refused" if isinstance(outcome, Refused) else "waiting"


def announcement(taken: TakenChange, outcome: ListOutcome, now: datetime) -> Outgoing:
    """Return the message that tells an outcome; the same one has the same id."""
    change, told = taken.change, told_of(outcome)
    data = ListChangeDone(
        change_id=change.change_id,
        target=change.target,
        list_name=change.list_name,
        outcome=told,
        entry=outcome.entry if isinstance(outcome, Done) else None,
        origin=change.origin,
        reasons=_reasons(outcome),
    )
    event = new_event(
        LIST_CHANGE_DONE,
        data,
        book=taken.book,
        source=EVENT_SOURCE,
        id=derive_id(LIST_CHANGE_DONE, taken.change_id, str(taken.generation), told),
        subject=taken.change_id,
        time=now,
    )
    return outgoing(event)


def _reasons(outcome: ListOutcome) -> tuple[Reason, ...]:
    if isinstance(outcome, Done):
        return ()
    reason = Reason(code=outcome.code, detail=outcome.detail[:2000])
    ids = outcome.ids if isinstance(outcome, Refused) else {}
    return (reason, *(Reason(code=name, detail=value) for name, value in sorted(ids.items())))
