"""Payments, as far as they move the balances of invoices."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import CUSTOMER, INVOICE, PAYMENT
from hourbridge.sandbox.quickbooks_online.lists import as_reference, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    missing_parameter,
    not_found,
)
from hourbridge.sandbox.quickbooks_online.sales_forms import check_period_open
from hourbridge.sandbox.quickbooks_online.values import (
    CENT_DIGITS,
    Entity,
    date_of,
    number_of,
    required_reference,
    text_of,
    without_empty,
)


def receive(company: Company, given: Entity) -> Entity:
    """Record a payment and apply it to the invoices that its lines name."""
    customer = referenced(company, CUSTOMER, required_reference(given, "CustomerRef"))
    amount = number_of(given, "TotalAmt", decimals_max=CENT_DIGITS)
    if amount is None:
        raise missing_parameter("TotalAmt")
    dated = date_of(given, "TxnDate") or company.clock.today()
    check_period_open(company, dated)
    parts = [_part(company, line) for line in given.get("Line") or []]
    applied = sum((part for _, part in parts), Decimal(0))
    if applied > amount:
        raise business("The amount applied is more than the payment.")
    payment = company.put(
        PAYMENT,
        without_empty(
            {
                "CustomerRef": as_reference(CUSTOMER, customer),
                "TxnDate": dated.isoformat(),
                "TotalAmt": amount,
                "UnappliedAmt": amount - applied,
                "PrivateNote": text_of(given, "PrivateNote", 4000),
                "Line": [_line(invoice["Id"], part) for invoice, part in parts],
            }
        ),
    )
    for invoice, part in parts:
        _apply(company, invoice, part, payment["Id"])
    return payment


def reverse(company: Company, payment: Entity) -> None:
    """Delete a payment; its invoices are open again."""
    for line in payment["Line"]:
        invoice = company.get(INVOICE, line["LinkedTxn"][0]["TxnId"])
        if invoice is not None:
            links = [one for one in invoice["LinkedTxn"] if one["TxnId"] != payment["Id"]]
            restored = {"Balance": invoice["Balance"] + line["Amount"], "LinkedTxn": links}
            company.put(INVOICE, {**invoice, **restored}, identity=invoice["Id"])
    company.remove(PAYMENT, payment["Id"])


def unapply(company: Company, invoice: Entity) -> None:
    """Give the payments of an invoice their money back as unapplied."""
    for link in invoice["LinkedTxn"]:
        payment = company.get(PAYMENT, link["TxnId"])
        if payment is None:
            continue
        freed = [one for one in payment["Line"] if one["LinkedTxn"][0]["TxnId"] == invoice["Id"]]
        amount = sum((one["Amount"] for one in freed), Decimal(0))
        kept = [one for one in payment["Line"] if one not in freed]
        changed = {"Line": kept, "UnappliedAmt": payment["UnappliedAmt"] + amount}
        company.put(PAYMENT, {**payment, **changed}, identity=payment["Id"])


def _part(company: Company, line: Entity) -> tuple[Entity, Decimal]:
    amount = number_of(line, "Amount", decimals_max=CENT_DIGITS)
    links = line.get("LinkedTxn") or []
    if amount is None or len(links) != 1 or links[0].get("TxnType") != "Invoice":
        raise Refusal("620", "Transaction cannot be linked", "A line pays one Invoice")
    invoice = company.get(INVOICE, str(links[0].get("TxnId")))
    if invoice is None:
        raise not_found()
    if amount > invoice["Balance"]:
        raise business("The amount applied is more than the invoice's balance.")
    return invoice, amount


def _line(invoice_id: str, amount: Decimal) -> Entity:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": invoice_id, "TxnType": "Invoice"}]}


def _apply(company: Company, invoice: Entity, part: Decimal, payment_id: str) -> None:
    links = [*invoice["LinkedTxn"], {"TxnId": payment_id, "TxnType": "Payment"}]
    paid = {"Balance": invoice["Balance"] - part, "LinkedTxn": links}
    company.put(INVOICE, {**invoice, **paid}, identity=invoice["Id"])
