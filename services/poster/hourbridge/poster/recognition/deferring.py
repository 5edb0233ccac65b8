"""Deferred revenue: put aside when its invoice is posted, earned month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from hourbridge.billing.recognition.deferrals import (
    Earned,
    due_by,
    net_amount,
    rule_for,
    schedule_of,
)
from hourbridge.common.book import AccountRole
from hourbridge.common.messages.events import Document, DocumentLine, Posting
from hourbridge.poster.open_items import read_items
from hourbridge.poster.recognition import store
from hourbridge.poster.recognition.entering import EntryWriter, Statement
from hourbridge.poster.recognition.store import Deferral

_NOTHING = Decimal(0)


def defer(writer: EntryWriter, invoice: Document) -> int:
    """Put aside what rules name of a posted invoice, less what was credited since."""
    known = {
        d.line_id: d
        for d in store.deferrals_of(writer.connection, writer.book, invoice.document_id)
    }
    credits = store.credits_of(writer.connection, invoice.document_id)
    taken = [line for credit in credits for line in credit.lines]
    change = _NOTHING
    for line in invoice.lines:
        before = known.get(line.line_id)
        deferral = before or _new_deferral(writer, invoice, line)
        if deferral is None:
            continue
        total = net_amount(line, taken)
        change += total - (before.schedule.total if before else _NOTHING)
        now = replace(deferral, schedule=replace(deferral.schedule, total=total))
        store.put_deferral(writer.connection, writer.book, now)
    if change == 0:
        return 0
    day = max([invoice.document_date, *(credit.document_date for credit in credits)])
    writer.write(_deferred(invoice, change, day), invoice.ledger)
    return 1


def _new_deferral(writer: EntryWriter, invoice: Document, line: DocumentLine) -> Deferral | None:
    """Return a line's schedule; costs that are passed on are no revenue to defer."""
    if line.role not in (None, AccountRole.REVENUE):
        return None
    rule = rule_for(
        writer.configuration.recognition.deferrals,
        client=invoice.client,
        project=line.project,
        item=line.item,
        day=invoice.document_date,
    )
    if rule is None:
        return None
    schedule = schedule_of(rule, _NOTHING, invoice.document_date)
    return Deferral(line.line_id, invoice.document_id, invoice.client, schedule)


def release(writer: EntryWriter, through: date) -> int:
    """Earn what is due for months that ended by ``through``; one entry per invoice and month."""
    earned = store.releases_of(writer.connection, writer.book)
    by_entry: dict[tuple[str, date], list[tuple[Deferral, Earned]]] = {}
    for deferral in store.deferrals_of(writer.connection, writer.book):
        before = earned.get(deferral.line_id, [])
        currency = writer.configuration.currency
        for part in due_by(deferral.schedule, before, through, currency):
            again = any(part.month == each.month for each in before)
            day = through if again else part.last_day
            by_entry.setdefault((deferral.document_id, day), []).append((deferral, part))
    documents = read_items(writer.connection, {document_id for document_id, _ in by_entry})
    for (document_id, day), parts in sorted(by_entry.items()):
        _release(writer, documents[document_id].document, day, parts)
    return len(by_entry)


def _release(
    writer: EntryWriter, invoice: Document, day: date, parts: Sequence[tuple[Deferral, Earned]]
) -> None:
    amount = sum((part.amount for _, part in parts), _NOTHING)
    if amount == 0:
        return
    said = Statement(
        purpose="deferral_release",
        subject=f"release:{invoice.document_id}",
        day=day,
        postings=_postings(AccountRole.DEFERRED_REVENUE, AccountRole.REVENUE, amount, invoice),
        memo=f"Earned of {invoice.number} in {day:%Y-%m}",
        client=invoice.client,
    )
    entry = writer.write(said, invoice.ledger)
    for deferral, part in parts:
        store.put_release(writer.connection, entry.document_id, deferral.line_id, part)


def _deferred(invoice: Document, amount: Decimal, day: date) -> Statement:
    return Statement(
        purpose="deferral",
        subject=f"deferral:{invoice.document_id}",
        day=day,
        postings=_postings(AccountRole.REVENUE, AccountRole.DEFERRED_REVENUE, amount, invoice),
        memo=f"Deferred of {invoice.number}",
        client=invoice.client,
    )


def _postings(
    debit: AccountRole, credit: AccountRole, amount: Decimal, invoice: Document
) -> tuple[Posting, ...]:
    client = invoice.client or None
    return (
        Posting(role=debit, amount=amount, base_amount=amount, client=client),
        Posting(role=credit, amount=-amount, base_amount=-amount, client=client),
    )
