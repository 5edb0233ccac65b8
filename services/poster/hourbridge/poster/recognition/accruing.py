"""Unbilled work: carried as an asset from when it is charged to when its invoice is posted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.billing.recognition.deferrals import next_month
from hourbridge.billing.recognition.unbilled import (
    billing_postings,
    invoiced,
    recognition_postings,
    worth,
)
from hourbridge.common.exchange_rates import RateMissing
from hourbridge.common.messages.events import Charge, Document
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.recognition import store
from hourbridge.poster.recognition.entering import EntryWriter, Statement
from hourbridge.poster.recognition.store import CountedWork

_NOTHING = Decimal(0)


class _Change:
    """What work of a client and month is carried at more than before, or less."""

    def __init__(self) -> None:
        self.amount = _NOTHING
        self.rows: list[dict[str, Any]] = []

    def add(self, charge_id: str, client: str, work_date: date, now: Decimal, was: Decimal) -> None:
        self.amount += now - was
        self.rows.append(
            {
                "charge_id": charge_id,
                "client": client,
                "work_date": work_date.isoformat(),
                "amount": str(now),
            }
        )


def accrue(writer: EntryWriter, through: date) -> int:
    """Bring the asset to what unbilled work up to ``through`` is worth; return the entries made.

    Foreign work whose rate is not known yet waits for it: it counts at the next look.
    """
    changes: dict[tuple[str, date], _Change] = {}
    for work in store.open_work(writer.connection, writer.book, through):
        charge = work.charge
        now = _value(writer, work) if work.counts else _NOTHING
        if now is not None and now != work.amount:
            key = (charge.client, charge.work_date.replace(day=1))
            change = changes.setdefault(key, _Change())
            change.add(charge.charge_id, charge.client, charge.work_date, now, work.amount)
    for gone in store.gone_work(writer.connection, writer.book):
        key = (gone.client, gone.work_date.replace(day=1))
        change = changes.setdefault(key, _Change())
        change.add(gone.charge_id, gone.client, gone.work_date, _NOTHING, gone.amount)
    made = 0
    for (client, month), change in sorted(changes.items()):
        last_day = next_month(month) - timedelta(days=1)
        made += _enter(writer, client, f"{month:%Y-%m}", min(last_day, through), change)
    return made


def bill(writer: EntryWriter, invoice: Document) -> int:
    """Replace the asset by what an invoice bills of it, once per invoice.

    Work that was not counted yet counts first, on the invoice's own day at the latest.
    """
    if store.is_invoiced(writer.connection, writer.book, invoice.document_id):
        return 0
    ids = [charge_id for line in invoice.lines for charge_id in line.charge_ids]
    work = store.billed_work(writer.connection, ids)
    _count_first(writer, invoice, work.values())
    lines = []
    for line in invoice.lines:
        carried = [_worth_of(writer, work[key]) for key in line.charge_ids if key in work]
        recognized = sum(carried, _NOTHING)
        if recognized:
            made = invoiced(line, recognized, writer.configuration.currency)
            lines.append((line.line_id, line.project, made))
    postings = billing_postings([made for _, _, made in lines], invoice.client)
    store.put_lines(writer.connection, writer.book, invoice, lines)
    store.put_work(
        writer.connection, writer.book, [_nothing_left(each.charge) for each in work.values()]
    )
    if not postings:
        return 0
    said = Statement(
        purpose="unbilled_invoiced",
        subject=f"invoice:{invoice.document_id}",
        day=invoice.document_date,
        postings=postings,
        memo=f"Unbilled work invoiced by {invoice.number}",
        client=invoice.client,
    )
    writer.write(said, invoice.ledger)
    return 1


def _count_first(writer: EntryWriter, invoice: Document, work: Iterable[CountedWork]) -> None:
    change = _Change()
    for each in work:
        now = _worth_of(writer, each)
        if now != each.amount:
            charge = each.charge
            change.add(charge.charge_id, charge.client, charge.work_date, now, each.amount)
    label = f"{invoice.document_date:%Y-%m}"
    _enter(writer, invoice.client, label, invoice.document_date, change)


def _enter(writer: EntryWriter, client: str, month: str, day: date, change: _Change) -> int:
    store.put_work(writer.connection, writer.book, change.rows)
    if change.amount == 0:
        return 0
    said = Statement(
        purpose="unbilled_recognition",
        subject=f"unbilled:{client}:{month}",
        day=day,
        postings=recognition_postings(change.amount, client),
        memo=f"Unbilled work of {client or 'clients'} in {month}",
        client=client,
    )
    writer.write(said)
    return 1


def _value(writer: EntryWriter, work: CountedWork) -> Decimal | None:
    """Return what a charge is worth, None while its rate is missing."""
    try:
        return _worth_now(writer, work.charge)
    except RateMissing:
        return None


def _worth_of(writer: EntryWriter, work: CountedWork) -> Decimal:
    """Return what a billed charge was worth; without a rate what it is carried at."""
    value = _value(writer, work)
    return work.amount if value is None else value


def _worth_now(writer: EntryWriter, charge: Charge) -> Decimal:
    rates = BookRates(writer.connection, writer.configuration)

    def to_base(amount: Decimal, currency: str, day: date) -> Decimal:
        return base_amount(amount, currency, rates.on(currency, day))

    return worth(charge, to_base, writer.configuration.currency)


def _nothing_left(charge: Charge) -> dict[str, Any]:
    return {
        "charge_id": charge.charge_id,
        "client": charge.client,
        "work_date": charge.work_date.isoformat(),
        "amount": "0",
    }
