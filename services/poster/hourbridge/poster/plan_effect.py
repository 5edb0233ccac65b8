"""What a planned mapping or policy would change on documents: of unposted work, never of posted.

The mapper says which records would have other charges; here it is known what is posted, and what
charges come to. Both sets of charges are priced by the rules of billing, each for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.billing.assembly import assemble
from hourbridge.billing.grouping import billing_period, group_keys
from hourbridge.common.messages.events import Charge
from hourbridge.common.runtime.admin import Role, json_response, require
from hourbridge.common.runtime.bodies import read_body
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster.currencies.costs import is_foreign

RECORDS_MAX = 5_000
# In the ledger or on its way there: a new mapping of the same record leaves it alone.
_POSTED = statement(
    """
    SELECT DISTINCT c.record_id FROM charge c
    JOIN line_charge b ON b.charge_id = c.charge_id AND b.is_live
    JOIN document_line l ON l.line_id = b.line_id
    JOIN document d ON d.document_id = l.document_id
    WHERE c.book = :book AND c.record_id = ANY(:records) AND c.grouping <> 'payable'
        AND (d.status NOT IN ('draft', 'parked') OR d.payload ? 'posted')
    """
)


class RecordChange(BaseModel):
    """The charges of a record as they are, and as they would be."""

    model_config = ConfigDict(extra="forbid")

    record_id: str
    before: tuple[Charge, ...] = ()
    after: tuple[Charge, ...] = ()


class PlanBody(BaseModel):
    """The records that a planned configuration would change."""

    model_config = ConfigDict(extra="forbid")

    changes: tuple[RecordChange, ...] = Field(max_length=RECORDS_MAX)


@dataclass
class _Sum:
    seconds: int = 0
    amount: Decimal = Decimal(0)


def effect(changes: Sequence[RecordChange], posted: set[str]) -> dict[str, Any]:
    """Return how many records keep what was posted, and what the others would come to."""
    open_changes = [change for change in changes if change.record_id not in posted]
    before = _priced((change.record_id, change.before) for change in open_changes)
    after = _priced((change.record_id, change.after) for change in open_changes)
    return {
        "records": len(changes),
        "posted_unchanged": len(changes) - len(open_changes),
        "unposted": len(open_changes),
        "clients": [
            {
                "client": client,
                "currency": currency,
                "before": _shown(before[client, currency]),
                "after": _shown(after[client, currency]),
            }
            for client, currency in sorted({*before, *after})
        ],
    }


def _priced(
    records: Iterable[tuple[str, Sequence[Charge]]],
) -> defaultdict[tuple[str, str], _Sum]:
    """Return billed time and money by client and currency, before caps, fees billed and tax."""
    groups: dict[tuple[str, str], list[Charge]] = {}
    for record_id, charges in records:
        for charge in charges:
            if charge.payable is not None or is_foreign(charge):
                continue
            period = billing_period(charge.invoicing.grouping, charge.work_date)
            key = group_keys(charge, record_id).group
            groups.setdefault((key, period.label if period else ""), []).append(charge)
    sums: defaultdict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for group in groups.values():
        total = sums[group[0].client, group[0].currency]
        for line in assemble(group).lines:
            total.seconds += line.price.billed_seconds
            total.amount += line.amount
    return sums


def _shown(total: _Sum) -> dict[str, Any]:
    return {"billed_seconds": total.seconds, "amount": str(total.amount)}


@dataclass(frozen=True)
class PlanApi:
    """Answers what a plan would do to documents; changes nothing."""

    store: Store

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [Route("/v1/books/{book}/plan-effect", self._effect, methods=["POST"])]

    async def _effect(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        body = await read_body(request, PlanBody)
        book = request.path_params["book"]
        return json_response(await run_in_threadpool(self._answer, book, body.changes))

    def _answer(self, book: str, changes: Sequence[RecordChange]) -> dict[str, Any]:
        records = [change.record_id for change in changes]
        with self.store.transaction() as connection:
            found = connection.execute(_POSTED, {"book": book, "records": records}).scalars()
            posted = set(found)
        return effect(changes, posted)
