"""A poster with retainers: short verbs to fund them, invoice against them and look at them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.common.book import (
    Account,
    AccountRole,
    ClientMapping,
    LedgerReference,
    RetainerPolicy,
    Workflow,
)
from hourbridge.common.messages.events import (
    ChargeSetChanged,
    Document,
    MappedPayment,
    MappingOutcome,
    Reason,
)
from hourbridge.common.messages.publishing import new_event
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import CHARGE_SET_CHANGED
from hourbridge.poster.retainers.commands import Request
from hourbridge.poster.retainers.report import RetainerReport
from tests.support.charges import LEDGER, make_charge
from tests.support.posting import BOOK, Poster, received

ROLES = ("receivable", "bank", "trust_bank", "customer_deposits", "forfeited_revenue", "revenue")
ACCOUNTS = tuple(
    Account(role=AccountRole(role), ledger=LedgerReference(name=role)) for role in ROLES
)
JAN_8, APRIL_30 = date(2026, 1, 8), date(2026, 4, 30)


def money(text: str) -> Decimal:
    return Decimal(text)


def client(**policy: Any) -> ClientMapping:
    return ClientMapping(
        client="Acme",
        customer=LedgerReference(name="Acme"),
        workflow=Workflow.RETAINER,
        retainer=RetainerPolicy(engagement="main", **policy),
    )


def prepare(poster: Poster, **policy: Any) -> None:
    poster.configure(2, accounts=ACCOUNTS, clients=(client(**policy),))


def asked(amount: str | None = None, **more: Any) -> Request:
    value = None if amount is None else money(amount)
    return Request(BOOK, "Acme", "main", "ann", value, **more)


def settle(poster: Poster) -> None:
    for _ in range(4):
        poster.settle()
        poster.parts.retainers.keeper.run_due()
    poster.settle()


def fund(poster: Poster, amount: str, day: date = JAN_8) -> None:
    poster.parts.retainers.commands.open(asked(amount, day=day), None, None, in_ledger=False)
    settle(poster)


def invoice(poster: Poster, charge_id: str, amount: str, day: date) -> None:
    """Post one invoice: an hour at that rate, in a month of its own."""
    charge = make_charge(
        charge_id, rate=amount, work_date=day, retainer="main", workflow=Workflow.RETAINER
    )
    poster.charge(charge)
    poster.bill(APRIL_30)
    settle(poster)


def applied(poster: Poster) -> list[Decimal]:
    return [
        settlement.amount
        for document in poster.documents()
        if document.purpose == "retainer_application"
        for settlement in document.settles
    ]


def shown(poster: Poster) -> dict[str, Any]:
    report = RetainerReport(poster.store, poster.clock)
    return report.show(BOOK, "Acme", "main")


def proof(poster: Poster) -> dict[str, Any]:
    log = RetainerReport(poster.store, poster.clock).log(BOOK, APRIL_30)
    assert log["agrees"], log["proof"]
    return log


def entries(poster: Poster) -> list[Document]:
    return [document for document in poster.documents() if document.postings]


def payment(amount: str, **changes: Any) -> MappedPayment:
    values: dict[str, Any] = {
        "purpose": "retainer",
        "customer": LedgerReference(name="Acme"),
        "client": "Acme",
        "engagement": "main",
        "amount": money(amount),
        "currency": "USD",
        "payment_date": JAN_8,
        "ledger": LEDGER,
    }
    return MappedPayment.model_validate({**values, **changes})


def pay(poster: Poster, record_id: str, amount: str | None, **changes: Any) -> Reason | None:
    """Let a source state a payment, or take it back; return why it waits, None when it is in."""
    now = None if amount is None else payment(amount, **changes)
    poster.sequence += 1
    data = ChargeSetChanged(
        record_id=record_id,
        record_type=RecordType.PAYMENT,
        source="toggl",
        record_revision=poster.sequence,
        mapping_version=1,
        covers=(poster.sequence,),
        outcome=MappingOutcome.CHARGED if now else MappingOutcome.SKIPPED,
        accepted_at=poster.clock.now(),
        work_date=now.payment_date if now else None,
        payment=now,
    )
    identity = f"{record_id}-{poster.sequence}"
    event = new_event(CHARGE_SET_CHANGED, data, book=BOOK, source="/test", id=identity)
    poster.feed(received(event))
    poster.parts.currencies.payments.run_due()
    sql = f"SELECT state, reason FROM stated_payment WHERE record_id = '{record_id}'"
    (row,) = poster.rows(sql)
    return Reason.model_validate(row.reason) if row.state == "parked" else None
