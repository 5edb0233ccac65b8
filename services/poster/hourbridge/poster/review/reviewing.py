"""Review: what waits for a person is listed, selected, released or rejected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.messages.events import Document
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster.decisions import Decision, Decisions
from hourbridge.poster.review import selections
from hourbridge.poster.review.selections import Wanted


class Reviews:
    """Works on drafts, each in a transaction of its own: one that fails holds up no other."""

    def __init__(self, store: Store, decisions: Decisions, clock: Clock) -> None:
        self._store = store
        self._decisions = decisions
        self._clock = clock

    def waiting(self, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
        """Return drafts with their selections and warnings."""
        with self._store.transaction() as connection:
            return selections.drafts(connection, wanted, limit)

    def select(self, wanted: Wanted, decision: Decision) -> dict[str, Any]:
        """Select drafts for release as they are now."""
        chosen = self._chosen(wanted)
        with self._store.transaction() as connection:
            new = selections.select(
                connection,
                list(chosen),
                actor=decision.actor,
                note=decision.note,
                now=self._clock.now(),
            )
            self._audit(connection, wanted, "selected", decision, chosen)
        return {"selected": sorted(chosen.values()), "new": new}

    def clear(self, wanted: Wanted, decision: Decision) -> dict[str, Any]:
        """Take selections back."""
        chosen = self._chosen(wanted)
        with self._store.transaction() as connection:
            cleared = selections.clear(connection, list(chosen))
            self._audit(connection, wanted, "unselected", decision, chosen)
        return {"unselected": sorted(chosen.values()), "cleared": cleared}

    def release(self, wanted: Wanted, decision: Decision) -> dict[str, Any]:
        """Let drafts be posted; return what became of each."""
        return self._each(wanted, lambda id: self._decisions.release(id, decision))

    def reject(self, wanted: Wanted, decision: Decision) -> dict[str, Any]:
        """Withdraw drafts: their work is unbilled again and left alone by automatic billing."""
        return self._each(wanted, lambda id: self._decisions.withdraw(id, decision))

    def _each(self, wanted: Wanted, decide: Callable[[str], Document]) -> dict[str, Any]:
        outcomes = []
        for document_id, number in self._chosen(wanted).items():
            outcome: dict[str, Any] = {"document_id": document_id, "number": number}
            try:
                document = decide(document_id)
                outcome |= {"status": document.status, "total": document.total}
                outcome["currency"] = document.currency
            except HourbridgeError as error:
                outcome |= {"error": error.code, "what": error.what}
            outcomes.append(outcome)
        return {"documents": outcomes}

    def _chosen(self, wanted: Wanted) -> dict[str, str]:
        """Return the drafts meant by id; every one that was named must be among them."""
        with self._store.transaction() as connection:
            chosen = selections.named(connection, wanted)
        missing = set(wanted.numbers or ()) - {*chosen, *chosen.values()}
        if missing:
            raise NotFound(
                "no draft has this number or id",
                advice="See `hourbridge review list`; what was released or withdrawn is no draft.",
                numbers=", ".join(sorted(missing)),
            )
        return chosen

    def _audit(
        self,
        connection: Connection,
        wanted: Wanted,
        what: str,
        decision: Decision,
        chosen: dict[str, str],
    ) -> None:
        for document_id, number in chosen.items():
            audit.write(
                connection,
                actor=decision.actor,
                action=f"document.{what}",
                subject=document_id,
                book=wanted.book,
                detail={"number": number, "note": decision.note},
            )
