"""Create, read, update, delete and void, with SyncToken and sparse semantics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from hourbridge.sandbox.quickbooks_online import (
    attachments,
    expense_forms,
    journal_entries,
    lists,
    payments,
    reimburse_charges,
    sales_forms,
    time_activities,
)
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    ATTACHABLE,
    BILL_PAYMENT,
    CREDIT_MEMO,
    CUSTOMER,
    INVOICE,
    JOURNAL_ENTRY,
    PAYMENT,
    PURCHASES,
    SALES,
    TIME_ACTIVITY,
    VENDOR,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.refusals import (
    business,
    malformed,
    missing_parameter,
    not_found,
    stale,
    unsupported,
)
from hourbridge.sandbox.quickbooks_online.transactions import (
    PAYABLE,
    RECEIVABLE,
    check_period_open,
    rate_of,
)
from hourbridge.sandbox.quickbooks_online.values import Entity

_OWN_MEMORY = frozenset({"GivenRate", "OpenItems"})
"""What the stand-in keeps with a transaction for itself and never shows."""
_PAYMENTS = (PAYMENT, BILL_PAYMENT)
_PARTY_ACCOUNT = {CUSTOMER: (RECEIVABLE, "A/R"), VENDOR: (PAYABLE, "A/P")}


@dataclass(frozen=True)
class Effect:
    """What an operation did, for the answer and for the audit log."""

    action: str
    kind: Kind
    entity: Entity


def read(company: Company, kind: Kind, identity: str) -> Entity:
    """Return the stored entity as it is shown; 610 when there is none."""
    entity = company.get(kind, identity)
    if entity is None:
        raise not_found()
    return shown(company, kind, entity)


def shown(company: Company, kind: Kind, entity: Entity) -> Entity:
    """Return the entity with the properties that are computed when it is read."""
    if kind in (CUSTOMER, VENDOR):
        return {**entity, "Balance": company.balance_of(kind, entity["Id"])}
    if not kind.is_transaction:
        return entity
    seen = {name: value for name, value in entity.items() if name not in _OWN_MEMORY}
    if kind in _PAYMENTS:
        seen["Line"] = [{n: v for n, v in one.items() if n != "IsCredit"} for one in seen["Line"]]
    if company.arithmetic.line_base_amounts and "GivenRate" in entity:
        seen["Line"] = [_converted(company, entity, line) for line in seen["Line"]]
    return seen


def _converted(company: Company, entity: Entity, line: Entity) -> Entity:
    """Return a line with its amount in home currency, converted by itself."""
    home = company.arithmetic.home(line["Amount"], rate_of(entity), company.currency)
    return {**line, "HomeAmt": home}


def save(company: Company, kind: Kind, body: Entity, options: Sequence[str] = ()) -> Effect:
    """Create, or update when the body has an Id; raises the refusal of the first broken rule."""
    if kind.is_read_only:
        raise unsupported(f"write {kind.name}")
    identity = body.get("Id")
    if identity in (None, ""):
        return _create(company, kind, body, options)
    if kind in _PAYMENTS:
        raise unsupported(f"update {kind.name}")
    current = _current(company, kind, body)
    _check_still_open(company, kind, current)
    given = {**current, **body} if body.get("sparse") is True else body
    entity = company.put(
        kind, _shape(company, kind, given, current, options), identity=current["Id"]
    )
    entity = reimburse_charges.keep(company, kind, entity)
    time_activities.settle(company, kind, current, entity)
    if not kind.is_transaction and "FullyQualifiedName" in entity:
        lists.rename_descendants(company, kind, entity)
    return Effect("update", kind, shown(company, kind, entity))


def delete(company: Company, kind: Kind, body: Entity) -> Effect:
    """Delete a transaction or file; refused for lists and for invoices with payments."""
    if not (kind.is_transaction or kind.is_file):
        raise unsupported(f"delete {kind.name}")
    current = _current(company, kind, body)
    _check_still_open(company, kind, current)
    time_activities.check_deletable(kind, current)
    if _payments_of(current):
        raise business("This transaction is linked to a payment. Unapply the payment first.")
    if kind in _PAYMENTS:
        payments.reverse(company, kind, current)
    else:
        company.remove(kind, current["Id"])
        time_activities.settle(company, kind, current, None)
    reimburse_charges.forget(company, current)
    return Effect("delete", kind, {"status": "Deleted", "domain": "QBO", "Id": current["Id"]})


def void(
    company: Company, kind: Kind, body: Entity, *, paid_too: bool, by_person: bool = False
) -> Effect:
    """Void an invoice or a payment (a person also credit memos): amounts zero, note marked."""
    if kind not in (INVOICE, *_PAYMENTS) and not (by_person and kind is CREDIT_MEMO):
        raise unsupported(f"void {kind.name}")
    current = _current(company, kind, body)
    if kind in _PAYMENTS:
        _check_still_open(company, kind, current)
        return Effect("void", kind, shown(company, kind, payments.void(company, kind, current)))
    if _payments_of(current) and not paid_too:
        raise business("This transaction is linked to a payment. Unapply the payment first.")
    payments.unapply(company, current)
    current = company.get(kind, current["Id"]) or current
    emptied = sales_forms.void(company, current)
    entity = company.put(kind, emptied, identity=current["Id"], operation="Void")
    time_activities.settle(company, kind, current, entity)
    return Effect("void", kind, shown(company, kind, entity))


def _payments_of(current: Entity) -> list[Entity]:
    """Return the links that hold a transaction: payments, not charges or time."""
    links = reimburse_charges.without_charges(current.get("LinkedTxn", []))
    return time_activities.without_time(links)


def _create(company: Company, kind: Kind, body: Entity, options: Sequence[str]) -> Effect:
    if kind in _PAYMENTS:
        entity = payments.receive(company, kind, body, options)
    else:
        entity = company.put(kind, _shape(company, kind, body, None, options))
        entity = reimburse_charges.keep(company, kind, entity)
        time_activities.settle(company, kind, None, entity)
    if kind in _PARTY_ACCOUNT:
        _open_party_account(company, kind, entity)
    return Effect("create", kind, shown(company, kind, entity))


def _shape(
    company: Company,
    kind: Kind,
    given: Entity,
    current: Entity | None,
    options: Sequence[str],
) -> Entity:
    if kind in SALES:
        return sales_forms.shape(company, kind, given, current, options)
    if kind in PURCHASES:
        return expense_forms.shape(company, kind, given, current, options)
    if kind is TIME_ACTIVITY:
        return time_activities.shape(company, given, current)
    if kind is ATTACHABLE:
        return attachments.shape(company, given)
    if kind is JOURNAL_ENTRY:
        return journal_entries.shape(company, given, current, options)
    return lists.shape(company, kind, given, current)


def _open_party_account(company: Company, kind: Kind, party: Entity) -> None:
    """Keep a receivable and payable account per currency, as the service does by itself."""
    account_type, label = _PARTY_ACCOUNT[kind]
    code = party["CurrencyRef"]["value"]
    accounts = [a for a in company.all(ACCOUNT) if a["AccountType"] == account_type]
    if code == company.currency or any(a["CurrencyRef"]["value"] == code for a in accounts):
        return
    body = {
        "Name": f"{account_type} ({label}) - {code}",
        "AccountType": account_type,
        "CurrencyRef": {"value": code},
    }
    company.put(ACCOUNT, lists.shape(company, ACCOUNT, body, None))


def _current(company: Company, kind: Kind, body: Entity) -> Entity:
    identity = body.get("Id")
    if not isinstance(identity, str | int):
        raise malformed("Id is missing")
    current = company.get(kind, str(identity))
    if current is None:
        raise not_found()
    token = body.get("SyncToken")
    if token is None:
        raise missing_parameter("SyncToken")
    if str(token) != current["SyncToken"]:
        raise stale()
    return current


def _check_still_open(company: Company, kind: Kind, current: Entity) -> None:
    if kind.is_transaction:
        check_period_open(company, date.fromisoformat(current["TxnDate"]))
