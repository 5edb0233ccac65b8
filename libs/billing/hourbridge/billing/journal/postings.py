"""The double entry of a document: balanced in its own currency and in the book's."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hourbridge.billing.journal.base_amounts import with_base
from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.legs import Leg, legs_of
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import Document, Posting

_NOTHING = Decimal(0)


def book_currency(document: Document, chart: Chart) -> str:
    """Return the currency of a document's base amounts: its own while no rate is known."""
    if document.base_total is None and not document.postings:
        return document.currency
    if document.exchange is not None:
        return document.exchange.base_currency
    return chart.currency or document.currency


def postings_of(document: Document, chart: Chart) -> tuple[Posting, ...]:
    """Return the double entry of a document of any kind; empty when it moves nothing.

    Documents that state their postings are taken at their word, all others follow from their
    lines and taxes. Movements of one account are summed up. Raises InvariantViolated for what
    doesn't balance: nothing of that kind may ever be sent.
    """
    postings = document.postings or _from_lines(document, chart)
    for name, amounts in (
        ("currency", [posting.amount for posting in postings]),
        ("book's currency", [posting.base_amount for posting in postings]),
    ):
        off_by = sum(amounts, _NOTHING)
        if off_by != 0:
            raise InvariantViolated(
                f"a document doesn't balance in its {name}",
                document=document.document_id,
                number=document.number,
                off_by=off_by,
            )
    return tuple(p for p in postings if p.amount or p.base_amount)


def _from_lines(document: Document, chart: Chart) -> tuple[Posting, ...]:
    legs = legs_of(document)
    if document.base_total is None:
        based = tuple(Leg(leg.role, leg.amount, leg.amount, leg.account) for leg in legs)
    else:
        based = with_base(legs, book_currency(document, chart))
    return tuple(_posting(document, members) for members in _by_account(based))


def _by_account(legs: Sequence[Leg]) -> list[list[Leg]]:
    """Gather the movements of each account, in the order in which accounts first appear."""
    gathered: dict[tuple[str, str], list[Leg]] = {}
    for leg in legs:
        account = leg.account.key if leg.account else ""
        gathered.setdefault((leg.role, account), []).append(leg)
    return list(gathered.values())


def _posting(document: Document, legs: Sequence[Leg]) -> Posting:
    first = legs[0]
    return Posting(
        role=first.role,
        account=first.account,
        amount=sum((leg.amount for leg in legs), _NOTHING),
        base_amount=sum((leg.base or _NOTHING for leg in legs), _NOTHING),
        client=document.client or None,
        customer=document.customer,
        vendor=document.vendor,
    )
