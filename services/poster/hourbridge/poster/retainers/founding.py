"""A retainer comes into being with its first money, by the policy that names it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.messages.events import MappedPayment
from hourbridge.poster.configurations import Configured
from hourbridge.poster.retainers import store
from hourbridge.poster.retainers.policies import policy_of
from hourbridge.poster.retainers.refusals import RetainerCurrency, RetainerUnknown
from hourbridge.poster.retainers.store import Retainer, SubLedger


def founded(
    connection: Connection,
    configured: Configured,
    payment: MappedPayment,
    now: datetime,
    book: str,
) -> SubLedger:
    """Lock and return the retainer that a payment concerns; the first one makes it.

    Raises RetainerUnknown without a policy for a new one, and RetainerCurrency for another currency
    than the retainer's.
    """
    if payment.customer is None or payment.engagement is None:
        raise RetainerUnknown("the payment names no retainer", client=payment.client)
    return opened(
        connection,
        configured,
        book=book,
        client=payment.client,
        engagement=payment.engagement,
        customer=payment.customer,
        currency=payment.currency,
        ledger=payment.ledger,
        now=now,
    )


def opened(
    connection: Connection,
    configured: Configured,
    *,
    book: str,
    client: str,
    engagement: str,
    customer: LedgerReference,
    currency: str,
    ledger: LedgerBinding,
    now: datetime,
) -> SubLedger:
    """Lock and return a retainer in ``currency``, which is made if its policy says so."""
    key = store.retainer_id(book, client, engagement)
    sub = store.lock(connection, key)
    if sub is None:
        policy = policy_of(configured.configuration, customer, engagement)
        if policy is None:
            raise RetainerUnknown(
                "no policy names this retainer", client=client, engagement=engagement
            )
        retainer = Retainer(
            retainer_id=key,
            book=book,
            client=client,
            engagement=engagement,
            kind=policy.kind,
            currency=currency,
            customer=customer,
            ledger=ledger,
        )
        store.create(connection, retainer, now)
        sub = store.lock(connection, key) or SubLedger(retainer, ())
    if sub.retainer.currency != currency:
        raise RetainerCurrency(
            f"the retainer is kept in {sub.retainer.currency}, this is {currency}",
            client=client,
            engagement=engagement,
        )
    return sub
