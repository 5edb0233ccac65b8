"""Warnings of some ledgers about documents like one that is there, and how they are acknowledged.

The service itself has none: they stand for ledgers whose warnings a careless client skips.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import BILL, CREDIT_MEMO, INVOICE, PAYMENT, Kind
from hourbridge.sandbox.quickbooks_online.refusals import warned

SIMILAR, PAST_PAYMENT = "similar_document", "payment_date_past"
_PARTY = {INVOICE: "CustomerRef", CREDIT_MEMO: "CustomerRef", BILL: "VendorRef"}


def check_not_similar(
    company: Company, kind: Kind, party: str, dated: date, total: Decimal, options: Sequence[str]
) -> None:
    """Refuse a document of the same party, day and total as another one, unless acknowledged."""
    if not company.arithmetic.warns_of_similar or acknowledgement(SIMILAR) in options:
        return
    for other in company.all(kind):
        same = (other[_PARTY[kind]]["value"], other["TxnDate"], other["TotalAmt"])
        if same == (party, dated.isoformat(), total):
            raise warned(SIMILAR, f"{kind.name} is similar to {other.get('DocNumber')}")


def check_payment_date(company: Company, dated: date, options: Sequence[str]) -> None:
    """Warn of a payment in the past, unless acknowledged."""
    if not company.arithmetic.warns_of_similar or acknowledgement(PAST_PAYMENT) in options:
        return
    if dated < company.clock.today():
        raise warned(PAST_PAYMENT, f"{PAYMENT.name} date {dated} is in the past")


def acknowledgement(warning: str) -> str:
    """Return the option by which a client says that it knows."""
    return f"acknowledge:{warning}"
