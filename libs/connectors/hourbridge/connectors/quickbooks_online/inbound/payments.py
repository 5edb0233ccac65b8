"""Payments that the ledger holds, as payment records: told, never to be entered again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from hourbridge.common.messages.records import Deletion, Payment, PaymentApplication
from hourbridge.connectors.quickbooks_online.inbound.asking import Asking, Row, instant_of
from hourbridge.connectors.quickbooks_online.inbound.telling import (
    Told,
    name_in,
    state,
    value_of,
)
from hourbridge.connectors.quickbooks_online.marker import is_link, marked_id
from hourbridge.connectors.quickbooks_online.reading import decimal_of

OWN = "own_document"
_SOME_CURRENCY = "USD"
_SMALLEST = Decimal("0.01")
_WITHDRAWN = "without money now: voided, or changed to zero"
_ID_ONLY = "of a deleted payment the ledger tells its id only; day, amount and currency are made up"
_LOOK_UP_MAX = 100
"""Invoices per query: its text stays short."""


class Payments:
    """Tells customers' payments of one company; invoices are told by their numbers."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    def tell(
        self, entity: str, rows: Sequence[Row], told: Told, *, least: int | None = None
    ) -> None:
        """State what others received; what we posted or linked ourselves is counted only."""
        numbers = self._numbers(rows)
        for row in rows:
            note = row.get("PrivateNote")
            if marked_id(note) is not None or is_link(note):
                told.skip(OWN)
                continue
            told.statements.append(
                state(
                    entity,
                    row,
                    partial(_payment, row, numbers),
                    external_id=str(row.get("Id")),
                    least=least,
                )
            )

    def tell_gone(self, entity: str, rows: Sequence[Row], told: Told) -> None:
        """State payments that were deleted."""
        for row in rows:
            told.statements.append(
                state(
                    entity,
                    row,
                    partial(_deleted, row),
                    external_id=str(row.get("Id")),
                    is_last=True,
                )
            )

    def _numbers(self, rows: Sequence[Row]) -> dict[str, str]:
        """Return the numbers of the invoices that payments are applied to."""
        ids = sorted({identity for row in rows for identity, _ in _applied(row)})
        found: dict[str, str] = {}
        for first in range(0, len(ids), _LOOK_UP_MAX):
            for invoice in self._asking.by_id("Invoice", ids[first : first + _LOOK_UP_MAX]):
                if invoice.get("DocNumber"):
                    found[str(invoice["Id"])] = str(invoice["DocNumber"])
        return found


def _applied(row: Row) -> list[tuple[str, Decimal]]:
    return [
        (str(link["TxnId"]), decimal_of(line["Amount"]))
        for line in row.get("Line", [])
        for link in line.get("LinkedTxn", [])
        if link.get("TxnType") == "Invoice"
    ]


def _payment(row: Row, numbers: Mapping[str, str]) -> Payment:
    amount = decimal_of(row["TotalAmt"])
    applied = _applied(row)
    unnumbered = [identity for identity, _ in applied if identity not in numbers]
    derivation = [f"invoice {each} has no number" for each in unnumbered]
    if amount == 0:
        derivation.append(_WITHDRAWN)
    return Payment(
        external_id=str(row["Id"]),
        source_updated_at=instant_of(row),
        client_id=value_of(row, "CustomerRef"),
        client_name=name_in(row, "CustomerRef"),
        payment_date=date.fromisoformat(str(row["TxnDate"])[:10]),
        # A voided payment stays in the ledger with nothing in it: the money is withdrawn.
        amount=amount or _SMALLEST,
        deleted=None if amount else Deletion(at=instant_of(row), how="feed"),
        currency=row["CurrencyRef"]["value"],
        applications=tuple(
            PaymentApplication(document_number=numbers[identity], amount=part)
            for identity, part in applied
            if identity in numbers and part > 0
        ),
        method=name_in(row, "PaymentMethodRef") or value_of(row, "PaymentMethodRef"),
        reference=row.get("PaymentRefNum"),
        in_ledger=True,
        notes=row.get("PrivateNote"),
        derivation=tuple(derivation),
    )


def _deleted(row: Row) -> Payment:
    at = instant_of(row)
    day = (at or datetime(1970, 1, 1, tzinfo=UTC)).date()
    return Payment(
        external_id=str(row["Id"]),
        source_updated_at=at,
        payment_date=day,
        amount=_SMALLEST,
        currency=_SOME_CURRENCY,
        in_ledger=True,
        deleted=Deletion(at=at, how="feed"),
        derivation=(_ID_ONLY,),
    )
