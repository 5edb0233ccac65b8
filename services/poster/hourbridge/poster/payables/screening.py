"""Which debts go on a bill now, and which wait for a person: numbers taken, suspected doubles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.messages.events import Document
from hourbridge.common.money import decimal_text
from hourbridge.poster.payables import bill_store, holds
from hourbridge.poster.payables.duplicates import Examined, Owed
from hourbridge.poster.payables.holds import NUMBER_TAKEN, Hold, Question


def cleared(
    connection: Connection,
    book: str,
    debts: Sequence[Owed],
    examined: Mapping[str, Examined] | None,
    now: datetime,
) -> list[Owed]:
    """Return the debts that nothing speaks against; raise a question about each other one.

    ``debts`` come in the order in which their records were accepted: the first of a vendor's
    number has it. What the ledger was not asked about (``examined``) is left for the next time;
    None asks no ledger.
    """
    known = holds.known(connection, [debt.record_id for debt in debts])
    first: dict[tuple[str, ...], Owed] = {}
    found = []
    for debt in debts:
        hold = known.get(debt.record_id)
        if hold is not None and hold.facts == debt.facts and hold.state != "open":
            if hold.state in ("distinct", "new"):
                found.append(debt)
            continue
        looked = None if examined is None else examined.get(debt.record_id)
        if examined is not None and (looked is None or looked.facts != debt.facts):
            continue
        suspicion = looked.question if looked is not None else None
        question = _number_question(connection, debt, first) or suspicion
        if question is not None:
            holds.ask(connection, book, debt.record_id, question, facts=debt.facts, now=now)
            continue
        _settle(connection, hold)
        first.setdefault(_identity(debt), debt)
        found.append(debt)
    return found


def previewed(
    connection: Connection, debts: Sequence[Owed], examined: Mapping[str, Examined] | None
) -> list[Owed]:
    """Return the debts that would go on a bill now; raises no question."""
    known = holds.known(connection, [debt.record_id for debt in debts])
    first: dict[tuple[str, ...], Owed] = {}
    found = []
    for debt in debts:
        hold = known.get(debt.record_id)
        decided = hold is not None and hold.facts == debt.facts and hold.state != "open"
        looked = (examined or {}).get(debt.record_id)
        if decided:
            is_clear = hold is not None and hold.state in ("distinct", "new")
        else:
            suspicion = looked.question if looked is not None else None
            is_clear = not (_number_question(connection, debt, first) or suspicion)
        if is_clear:
            first.setdefault(_identity(debt), debt)
            found.append(debt)
    return found


def _settle(connection: Connection, hold: Hold | None) -> None:
    if hold is not None and hold.state == "open":
        holds.settle(connection, hold.record_id)


def _number_question(
    connection: Connection, debt: Owed, first: Mapping[tuple[str, ...], Owed]
) -> Question | None:
    """Return why a vendor's bill number can't be used for this debt.

    It stands on a bill already; or another record states the same thing under the same number.
    Records that differ in more than their amount are further lines of the vendor's bill.
    """
    charge = debt.charges[0]
    if charge.payable is None or charge.payable.bill_number is None:
        return None
    standing = bill_store.numbered_bill(connection, charge)
    if standing is not None:
        amount = bill_store.gross([(line.role, line.amount) for line in standing.lines])
        text = f"{decimal_text(amount)} {standing.currency}"
        return _taken(debt, f"stands as {standing.number} over {text}", text, standing)
    twin = first.get(_identity(debt))
    if twin is None:
        return None
    return _taken(debt, f"is stated over {twin.amount_text}", twin.amount_text, None)


def _taken(debt: Owed, how: str, standing_text: str, standing: Document | None) -> Question:
    owed = debt.charges[0].payable
    number = owed.bill_number if owed else ""
    vendor = debt.vendor.name or debt.vendor.id or ""
    return Question(
        code=NUMBER_TAKEN,
        subject=f"{vendor} {number}",
        detail=f"bill {number} of {vendor} {how}; it was stated again over {debt.amount_text}",
        matched={
            "standing": standing_text,
            "stated": debt.amount_text,
            "document_id": standing.document_id if standing else None,
            "number": standing.number if standing else None,
        },
    )


def _identity(debt: Owed) -> tuple[str, ...]:
    """Return what two statements of the same line of a vendor's bill have in common."""
    charge = debt.charges[0]
    owed = charge.payable
    if owed is None or owed.bill_number is None:
        return (debt.record_id,)
    return (
        owed.vendor.key,
        owed.bill_number,
        charge.client,
        charge.project or "",
        charge.task or "",
        str(charge.work_date),
        charge.description or "",
        charge.currency,
    )
