"""Payments of customers and to vendors: what they settle, what credits they use, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.journal_entries import open_item
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    BILL,
    BILL_PAYMENT,
    BY_NAME,
    CREDIT_MEMO,
    CUSTOMER,
    INVOICE,
    JOURNAL_ENTRY,
    PAYMENT,
    VENDOR,
    VENDOR_CREDIT,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.lists import as_reference, posting_account, referenced
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    business,
    missing_parameter,
    not_found,
)
from hourbridge.sandbox.quickbooks_online.similar import check_payment_date
from hourbridge.sandbox.quickbooks_online.time_activities import without_time
from hourbridge.sandbox.quickbooks_online.transactions import (
    check_period_open,
    currency,
    exchange,
    home_fields,
    money_of,
    number,
    rate_of,
)
from hourbridge.sandbox.quickbooks_online.values import (
    Entity,
    date_of,
    reference_of,
    required_reference,
    text_of,
    without_empty,
)

_LINK_NAMES = {PAYMENT.name: "Payment", BILL_PAYMENT.name: "BillPaymentCheck"}


@dataclass(frozen=True)
class _Side:
    """Which documents one kind of payment settles, and which ones it uses as credits."""

    party: Kind
    settled: Kind
    credit: Kind

    @property
    def reference(self) -> str:
        return f"{self.party.name}Ref"


_SIDES = {
    PAYMENT: _Side(CUSTOMER, INVOICE, CREDIT_MEMO),
    BILL_PAYMENT: _Side(VENDOR, BILL, VENDOR_CREDIT),
}


@dataclass(frozen=True)
class Part:
    """One line of a payment: how much of which transaction it settles or uses up."""

    kind: Kind
    target: Entity
    amount: Decimal
    is_credit: bool
    party: str
    """The customer's or vendor's id: an entry may concern several."""


def receive(company: Company, kind: Kind, given: Entity, options: Sequence[str] = ()) -> Entity:
    """Record a payment; its lines settle documents, out of its money and the credits they name."""
    side = _SIDES[kind]
    party = referenced(company, side.party, required_reference(given, side.reference))
    dated = date_of(given, "TxnDate") or company.clock.today()
    check_period_open(company, dated)
    check_payment_date(company, dated, options)
    code = currency(company, given, party, is_new=True)
    amount = money_of(company, given, "TotalAmt", code)
    if amount is None:
        raise missing_parameter("TotalAmt")
    parts = [_part(company, kind, party, line, code) for line in given.get("Line") or []]
    left = _left(kind, amount, parts)
    shown = {
        side.reference: as_reference(side.party, party),
        "DocNumber": number(company, kind, given, None, options) if kind is BILL_PAYMENT else None,
        "PaymentRefNum": text_of(given, "PaymentRefNum", 21),
        "TxnDate": dated.isoformat(),
        "CurrencyRef": {"value": code},
        "TotalAmt": amount,
        "UnappliedAmt": left if kind is PAYMENT else None,
        "PrivateNote": text_of(given, "PrivateNote", 4000),
        "Line": [_line(part) for part in parts],
        **_account(company, kind, given),
        **home_fields(company, code, exchange(company, given, code, dated), {"TotalAmt": amount}),
    }
    payment = company.put(kind, without_empty(shown))
    for part in parts:
        _settle(company, part, part.amount, payment["Id"], _LINK_NAMES[kind.name])
    return payment


def reverse(company: Company, kind: Kind, payment: Entity) -> None:
    """Delete a payment; what it settled is open again."""
    for part in _parts_of(company, kind, payment):
        _settle(company, part, -part.amount, payment["Id"], None)
    company.remove(kind, payment["Id"])


def void(company: Company, kind: Kind, payment: Entity) -> Entity:
    """Void a payment: it stays, without money and without what it settled."""
    for part in _parts_of(company, kind, payment):
        _settle(company, part, -part.amount, payment["Id"], None)
    note = payment.get("PrivateNote")
    amounts = [name for name in payment if name.endswith(("TotalAmt", "UnappliedAmt"))]
    emptied = {
        **payment,
        **dict.fromkeys(amounts, Decimal("0.00")),
        "Line": [],
        "PrivateNote": f"Voided - {note}" if note else "Voided",
    }
    return company.put(kind, emptied, identity=payment["Id"], operation="Void")


def unapply(company: Company, document: Entity) -> None:
    """Give the payments of a document their money back as unapplied, and their credits too."""
    for link in without_time(document["LinkedTxn"]):
        paid_by = PAYMENT if link["TxnType"] == "Payment" else BILL_PAYMENT
        payment = company.get(paid_by, link["TxnId"])
        if payment is None:
            continue
        parts = _parts_of(company, paid_by, payment)
        freed = [part for part in parts if part.target["Id"] == document["Id"]]
        if any(part.is_credit for part in parts):
            reverse(company, paid_by, payment)  # a link between documents has no money to keep
            continue
        amount = sum((part.amount for part in freed), Decimal(0))
        kept = [_line(part) for part in parts if part not in freed]
        changed = {"Line": kept, "UnappliedAmt": payment.get("UnappliedAmt", Decimal(0)) + amount}
        company.put(paid_by, {**payment, **changed}, identity=payment["Id"])
        for part in freed:
            _settle(company, part, -part.amount, payment["Id"], None)


def _left(kind: Kind, amount: Decimal, parts: Sequence[Part]) -> Decimal:
    settled = sum((part.amount for part in parts if not part.is_credit), Decimal(0))
    credits = sum((part.amount for part in parts if part.is_credit), Decimal(0))
    left = amount + credits - settled
    if left < 0:
        raise business("The amount applied is more than the payment.")
    if kind is BILL_PAYMENT and left != 0:
        raise business("The amount of a bill payment must equal what it settles.")
    if credits > settled:
        raise business("More credit is used than is settled.")
    return left


def _part(company: Company, kind: Kind, party: Entity, line: Entity, code: str) -> Part:
    amount = money_of(company, line, "Amount", code)
    links = line.get("LinkedTxn") or []
    side = _SIDES[kind]
    allowed = {side.settled.name, side.credit.name, JOURNAL_ENTRY.name}
    if amount is None or len(links) != 1 or links[0].get("TxnType") not in allowed:
        raise Refusal("620", "Transaction cannot be linked", f"A line settles one of {allowed}")
    linked = BY_NAME[links[0]["TxnType"]]
    target = company.get(linked, str(links[0].get("TxnId")))
    if target is None:
        raise not_found()
    balance, is_credit = _open_amount(linked, target, side, party)
    if amount > balance:
        raise business(f"The amount applied is more than the {linked.name.lower()}'s balance.")
    return Part(linked, target, amount, is_credit, party["Id"])


def _open_amount(kind: Kind, target: Entity, side: _Side, party: Entity) -> tuple[Decimal, bool]:
    """Return how much of a transaction is open, and whether it is a credit of the party."""
    if kind is JOURNAL_ENTRY:
        item = open_item(target, side.party.name, party["Id"])
        if item is None:
            raise Refusal("620", "Transaction cannot be linked", "The entry is not of this party")
        return abs(item["Amount"]), item["Amount"] < 0
    if target[side.reference]["value"] != party["Id"] and not _is_family(target, side, party):
        raise Refusal("620", "Transaction cannot be linked", "It belongs to somebody else")
    return target["Balance"], kind is side.credit


def _is_family(target: Entity, side: _Side, party: Entity) -> bool:
    """Return whether the transaction is of a job of the customer, or of its parent."""
    shown = str(target[side.reference].get("name", ""))
    family = str(party.get("FullyQualifiedName", "")).partition(":")[0]
    return shown.partition(":")[0] == family


def _parts_of(company: Company, kind: Kind, payment: Entity) -> list[Part]:
    side = _SIDES[kind]
    found = []
    for line in payment["Line"]:
        (link,) = line["LinkedTxn"]
        linked = BY_NAME[link["TxnType"]]
        target = company.get(linked, link["TxnId"])
        if target is not None:
            is_credit = linked is side.credit or line.get("IsCredit") is True
            party = payment[side.reference]["value"]
            found.append(Part(linked, target, line["Amount"], is_credit, party))
    return found


def _line(part: Part) -> Entity:
    line: Entity = {
        "Amount": part.amount,
        "LinkedTxn": [{"TxnId": part.target["Id"], "TxnType": part.kind.name}],
    }
    return line | {"IsCredit": True} if part.is_credit else line


def _settle(
    company: Company, part: Part, amount: Decimal, payment_id: str, link_name: str | None
) -> None:
    """Take ``amount`` off what is open of a transaction, and link it (or unlink it)."""
    target = company.get(part.kind, part.target["Id"])
    if target is None:
        return
    others = without_time(target["LinkedTxn"])  # time has ids of its own: the same id may be both
    time = [link for link in target["LinkedTxn"] if link not in others]
    links = [*time, *(link for link in others if link["TxnId"] != payment_id)]
    if link_name is not None:
        links = [*links, {"TxnId": payment_id, "TxnType": link_name}]
    changed = {**_less(company, part, target, amount), "LinkedTxn": links}
    company.put(part.kind, {**target, **changed}, identity=target["Id"])


def _less(company: Company, part: Part, target: Entity, amount: Decimal) -> Entity:
    if part.kind is JOURNAL_ENTRY:
        sign = 1 if part.is_credit else -1
        items = [
            {**item, "Amount": item["Amount"] + sign * amount}
            if item["EntityId"] == part.party
            else item
            for item in target["OpenItems"]
        ]
        return {"OpenItems": items}
    balance = target["Balance"] - amount
    less = {"Balance": balance}
    if "RemainingCredit" in target:
        less["RemainingCredit"] = balance
    if "HomeBalance" in target:
        rate = rate_of(target)
        less["HomeBalance"] = company.arithmetic.home(balance, rate, company.currency)
    return less


def _account(company: Company, kind: Kind, given: Entity) -> Entity:
    """Return where the money goes, or comes from."""
    if kind is PAYMENT:
        identity = reference_of(given, "DepositToAccountRef")
        if identity is None:
            return {}
        account = posting_account(company, identity)
        return {"DepositToAccountRef": as_reference(ACCOUNT, account)}
    paid_by = given.get("PayType")
    if paid_by not in ("Check", "CreditCard"):
        raise missing_parameter("PayType")
    block, name = (
        ("CheckPayment", "BankAccountRef")
        if paid_by == "Check"
        else ("CreditCardPayment", "CCAccountRef")
    )
    detail = given.get(block)
    if not isinstance(detail, dict):
        raise missing_parameter(block)
    account = posting_account(company, required_reference(detail, name))
    return {"PayType": paid_by, block: {name: as_reference(ACCOUNT, account)}}
