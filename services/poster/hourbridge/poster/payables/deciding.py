"""What people decide about debts that wait: post them, leave them, or put a bill right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import Document
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster import correction_requests
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.payables import holds
from hourbridge.poster.payables.biller import BillMaker
from hourbridge.poster.payables.holds import BILL_CHANGED, CHOICES, Choice, Hold

_GROUPS = statement(
    """
    SELECT engagement_key, group_key, max(work_date) AS through FROM charge
    WHERE record_id = :record_id AND grouping = 'payable' AND state = 'unbilled'
    GROUP BY engagement_key, group_key ORDER BY 1, 2
    """
)
_DOCUMENT = statement(
    "SELECT matched ->> 'document_id' FROM payable_hold WHERE record_id = :record_id"
)


class PayableDecisions:
    """Carries out what people decide about debts that wait."""

    def __init__(
        self, store: Store, bills: BillMaker, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._bills = bills
        self._clock = clock
        self._announced = announced

    def has(self, record_id: str) -> bool:
        """Return whether a question about a record is open."""
        with self._store.transaction() as connection:
            hold = holds.lock(connection, record_id)
        return hold is not None and hold.state == "open"

    def decide(
        self, record_id: str, choice: str | None, *, actor: str, note: str
    ) -> dict[str, Any]:
        """Settle an open question; what may be posted then is posted at once.

        Raises NotFound, or RequestInvalid for a choice that doesn't answer the question.
        """
        with self._store.transaction() as connection:
            hold = holds.lock(connection, record_id)
            if hold is None or hold.state != "open":
                raise NotFound("nothing that waits has this id", id=record_id)
            decided = _choice(hold, choice)
            now = self._clock.now()
            holds.decide(connection, record_id, decided, actor=actor, now=now)
            made = self._follow(connection, hold, decided)
            audit.write(
                connection,
                actor=actor,
                action="payable.decided",
                subject=f"record:{record_id}",
                book=hold.book,
                detail={"code": hold.code, "choice": decided, "note": note},
            )
        self._announced()
        return {
            "released": True,
            "choice": decided,
            "documents": [document.number for document in made],
        }

    def _follow(self, connection: Connection, hold: Hold, choice: Choice) -> list[Document]:
        if choice == "distinct":
            return self._bill(connection, hold)
        if choice == "new" and hold.code == BILL_CHANGED:
            bill = connection.execute(_DOCUMENT, {"record_id": hold.record_id}).scalar()
            if bill is not None:
                correction_requests.request(connection, [bill], self._clock.now())
        return []

    def _bill(self, connection: Connection, hold: Hold) -> list[Document]:
        made: list[Document] = []
        for row in connection.execute(_GROUPS, {"record_id": hold.record_id}).all():
            scope = BillingScope(hold.book, row.through)
            made += self._bills.bill_groups(
                connection,
                scope,
                row.engagement_key,
                [row.group_key],
                None,
                only=frozenset({hold.record_id}),
            )
        return made


def _choice(hold: Hold, choice: str | None) -> Choice:
    possible = CHOICES[hold.code]
    for known in possible:
        if known == choice:
            return known
    raise RequestInvalid(
        f"{hold.code} needs a decision: {' or '.join(possible)}",
        advice="Name it with --choice; what is wrong at its source is put right there.",
    )
