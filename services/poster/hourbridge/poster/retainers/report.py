"""What people are shown of retainers: balances, movements, the monthly log, and the proof.

The proof: the sub-ledger's rows against the journal's deposits account. They are kept apart from
each other and must agree to the cent, in both currencies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.retainers.lots import MovementKind, balance, base_balance
from hourbridge.billing.retainers.statements import Flows, by_project, monthly_log
from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster.open_items import read_items
from hourbridge.poster.retainers import store, top_ups
from hourbridge.poster.retainers.invoices import invoices_of, projects_of
from hourbridge.poster.retainers.store import Booked, SubLedger

# Everything on the journal's deposits account, whatever put it there.
_ACCOUNT = statement(
    """
    SELECT d.payload ->> 'client' AS client, d.payload ->> 'engagement' AS engagement, p.currency,
        -sum(p.amount) AS amount, -sum(p.base_amount) AS base_amount
    FROM journal_posting p
    JOIN journal_entry e ON e.entry_id = p.entry_id
    JOIN document d ON d.document_id = e.document_id
    WHERE p.book = :book AND p.role = 'customer_deposits' AND p.entry_date <= :through
    GROUP BY 1, 2, 3
    """
)
_Key = tuple[str, str, str]


@dataclass(frozen=True)
class _Account:
    """What the journal's deposits account holds for a retainer."""

    amount: Decimal = Decimal(0)
    base_amount: Decimal = Decimal(0)


class RetainerReport:
    """Answers questions about retainers; changes nothing."""

    def __init__(self, entries: Store, clock: Clock) -> None:
        self._store = entries
        self._clock = clock

    def listed(self, book: str, client: str | None = None) -> dict[str, Any]:
        """Return the retainers of a book with their balances, and who is to be asked for more."""
        with self._store.transaction() as connection:
            subs = store.of_book(connection, book, client)
            return {
                "retainers": [_head(sub) for sub in subs],
                "top_ups": top_ups.open_requests(connection, book),
            }

    def show(self, book: str, client: str, engagement: str) -> dict[str, Any]:
        """Return one retainer with every movement, its lots and its invoices."""
        with self._store.transaction() as connection:
            sub = store.read(connection, store.retainer_id(book, client, engagement))
            if sub is None:
                raise NotFound("there is no such retainer", client=client, engagement=engagement)
            items = read_items(connection, {b.invoice_id for b in sub.booked if b.invoice_id})
            spread = {key: projects_of(item) for key, item in items.items()}
            return {
                **_head(sub),
                "movements": [_row(booked, sub, spread) for booked in sub.booked],
                "lots": [asdict(lot) for lot in sub.lots],
                "open_invoices": [
                    {"number": i.number, "document_date": i.document_date, "open": i.open_amount}
                    for i, _ in sorted(
                        invoices_of(connection, sub, lock=False), key=lambda p: p[0].order
                    )
                    if i.open_amount > 0
                ],
            }

    def log(self, book: str, through: date | None = None) -> dict[str, Any]:
        """Return the monthly log of every retainer, and the sub-ledger against the account."""
        day = through or self._clock.now().date()
        with self._store.transaction() as connection:
            subs = store.of_book(connection, book)
            accounts = _accounts(connection, book, day)
        rows = [row for sub in subs for row in _log_rows(sub, day)]
        proof = [_proof(sub, accounts.pop(_key(sub), _Account()), day) for sub in subs]
        proof += _strays(accounts, {_key(sub)[:2] for sub in subs})
        return {
            "through": day,
            "months": rows,
            "proof": proof,
            "agrees": all(row["agrees"] for row in proof),
        }


def _head(sub: SubLedger) -> dict[str, Any]:
    retainer, sums = sub.retainer, _sums(sub.booked)
    return {
        "client": retainer.client,
        "engagement": retainer.engagement,
        "kind": retainer.kind,
        "currency": retainer.currency,
        **sums,
        "balance": sub.balance,
        "available": balance(sub.lots),
        "base_balance": base_balance(sub.lots),
    }


def _sums(booked: Iterable[Booked]) -> dict[str, Decimal]:
    """Return what moved in all, reversals taken off."""
    flows = Flows()
    for each in booked:
        sign = 1 if each.movement.reverses is None else -1
        flows.add(each.movement.kind, sign * each.movement.amount)
    return asdict(flows)


def _row(
    booked: Booked, sub: SubLedger, spread: dict[str, list[tuple[str, Decimal]]]
) -> dict[str, Any]:
    movement = booked.movement
    row = {
        "number": booked.number,
        "document_id": movement.movement_id,
        "date": movement.day,
        "kind": movement.kind,
        "amount": movement.effect,
        "base_amount": movement.base_amount if movement.is_inward else -movement.base_amount,
        "status": booked.status,
        "reverses": movement.reverses,
        "invoice_id": booked.invoice_id,
        "by": booked.by,
    }
    if movement.kind is MovementKind.APPLICATION and booked.invoice_id:
        lines = spread.get(booked.invoice_id, [])
        row["projects"] = by_project(movement.amount, lines, sub.retainer.currency)
    return row


def _log_rows(sub: SubLedger, through: date) -> list[dict[str, Any]]:
    name = {
        "client": sub.retainer.client,
        "engagement": sub.retainer.engagement,
        "currency": sub.retainer.currency,
    }
    return [
        {
            "month": month.month,
            **name,
            **asdict(month.amounts),
            "closing": month.amounts.closing,
            "base_closing": month.base_amounts.closing,
        }
        for month in monthly_log(sub.movements, through)
    ]


def _key(sub: SubLedger) -> _Key:
    return (sub.retainer.client, sub.retainer.engagement, sub.retainer.currency)


def _accounts(connection: Connection, book: str, day: date) -> dict[_Key, _Account]:
    """Return the account by retainer; what moves in the book's currency alone belongs to it."""
    rows = list(connection.execute(_ACCOUNT, {"book": book, "through": day}))
    bases: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        key = (row.client, row.engagement or "")
        bases[key] = bases.get(key, Decimal(0)) + row.base_amount
    return {
        (row.client, row.engagement or "", row.currency): _Account(
            row.amount, bases[(row.client, row.engagement or "")]
        )
        for row in rows
    }


def _proof(sub: SubLedger, account: _Account, day: date) -> dict[str, Any]:
    """Return a retainer on both sides; what waits in the ledger's lane is shown apart."""
    movements = [movement for movement in sub.movements if movement.day <= day]
    posted = [movement for movement in movements if movement.is_posted]
    held = sum((movement.effect for movement in posted), Decimal(0))
    on_its_way = sum((m.effect for m in movements if not m.is_posted), Decimal(0))
    base = sum((m.base_amount if m.is_inward else -m.base_amount for m in posted), Decimal(0))
    return _compared(_key(sub), _Account(held, base), account, on_its_way)


def _strays(
    accounts: Mapping[_Key, _Account], known: Collection[tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Return what stands on the account for nobody's retainer."""
    return [
        _compared(key, _Account(), account)
        for key, account in sorted(accounts.items(), key=lambda pair: pair[0])
        if account.amount and key[:2] not in known
    ]


def _compared(
    key: _Key, sub_ledger: _Account, account: _Account, on_its_way: Decimal = Decimal(0)
) -> dict[str, Any]:
    client, engagement, currency = key
    return {
        "client": client,
        "engagement": engagement,
        "currency": currency,
        "sub_ledger": sub_ledger.amount,
        "account": account.amount,
        "base_sub_ledger": sub_ledger.base_amount,
        "base_account": account.base_amount,
        "on_its_way": on_its_way,
        "agrees": sub_ledger == account,
    }
