"""From a stated payment to one in ledger terms: whose money, for what, and to which ledger."""

from __future__ import annotations

from hourbridge.common.book import BookConfiguration, LedgerReference
from hourbridge.common.messages.events import (
    MappedPayment,
    MappingOutcome,
    PaymentPart,
    Reason,
)
from hourbridge.common.messages.records import Payment
from hourbridge.mapper.rules.case import without_charges
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.names import Term, normal, term
from hourbridge.mapper.rules.outcome import Mapped, parked
from hourbridge.mapper.rules.refusals import unknown_source
from hourbridge.mapper.rules.resolve import Resolution, resolve
from hourbridge.mapper.rules.subject import Subject

_RETAINERS = ("retainer", "retainer_refund")


def map_payment(book: CompiledBook, source: str, payment: Payment, subject: Subject) -> Mapped:
    """Return a payment in ledger terms, or every reason why it waits.

    Money is never skipped for want of approval: it has changed hands already.
    """
    foreign = unknown_source(book, source)
    if foreign is not None:
        return without_charges(subject, foreign)
    if payment.purpose == "vendor_bill":
        return _to_vendor(book, payment, subject)
    return _with_client(book, source, payment, subject)


def _to_vendor(book: CompiledBook, payment: Payment, subject: Subject) -> Mapped:
    named = term(payment.vendor_id, payment.vendor_name)
    vendor = vendor_of(book.configuration, named)
    if vendor is None:
        label = named.label or "(none)"
        detail = f"nobody in the configuration says which vendor of the ledger {label!r} is"
        return without_charges(subject, parked("no_mapping", detail, f"vendor:{label}"))
    return _mapped(subject, None, _stated(book, payment, vendor=vendor))


def vendor_of(book: BookConfiguration, named: Term) -> LedgerReference | None:
    """Return the ledger's vendor for a source's: one that the book maps, else one of that name."""
    people = [(rule.staff, rule.vendor) for rule in book.subcontractors]
    people += [(rule.staff, rule.vendor) for rule in book.staff if rule.vendor]
    for staff, vendor in people:
        if normal(staff) in named.keys:
            return vendor
    known = {rule.vendor.name: rule.vendor for rule in book.expenses if rule.vendor is not None}
    if named.name is None:
        return None
    return known.get(named.name) or LedgerReference(name=named.name)


def _with_client(book: CompiledBook, source: str, payment: Payment, subject: Subject) -> Mapped:
    found = resolve(book, source, subject, payment.payment_date)
    engaged = None
    if payment.purpose in _RETAINERS and found.client is not None:
        engaged = engagement_name(book, found, payment)
        if engaged is None:
            found.missing.append(_no_engagement(book, found, payment))
    if found.missing or found.client is None:
        return without_charges(subject, *found.missing, found=found)
    customer = found.client.customer
    client = found.client_label or ""
    stated = _stated(book, payment, customer=customer, client=client, engaged=engaged)
    return _mapped(subject, found, stated)


def engagement_name(book: CompiledBook, found: Resolution, payment: Payment) -> str | None:
    """Return the retainer that a payment names, else the only one that the client has."""
    names = _engagements(book.configuration, found)
    if payment.engagement is not None:
        named = normal(payment.engagement)
        return named if named in names else None
    return names[0] if len(names) == 1 else None


def _engagements(book: BookConfiguration, found: Resolution) -> list[str]:
    """Return the names of the retainers of the client, or of the project if one is stated."""
    client, project = found.client, found.project
    if client is None:
        return []
    if project is not None:
        policies = [client.retainer or project.retainer]
    else:
        keys = {*found.client_term.keys, normal(client.client)}
        own = [rule for rule in book.projects if rule.client and normal(rule.client) in keys]
        policies = [client.retainer, *(rule.retainer for rule in own)]
    return sorted({normal(policy.engagement) for policy in policies if policy is not None})


def _no_engagement(book: CompiledBook, found: Resolution, payment: Payment) -> Reason:
    names = ", ".join(_engagements(book.configuration, found)) or "none"
    label = payment.engagement or found.client_label
    detail = f"which retainer is {label!r}? the client's are: {names}"
    return parked("no_mapping", detail, f"engagement:{label}")


def _stated(
    book: CompiledBook,
    payment: Payment,
    *,
    customer: LedgerReference | None = None,
    vendor: LedgerReference | None = None,
    client: str = "",
    engaged: str | None = None,
) -> MappedPayment:
    return MappedPayment(
        purpose=payment.purpose,
        customer=customer,
        vendor=vendor,
        client=client,
        engagement=engaged,
        amount=payment.amount,
        currency=payment.currency,
        payment_date=payment.payment_date,
        parts=tuple(
            PaymentPart(number=part.document_number, amount=part.amount)
            for part in payment.applications
        ),
        reference=payment.reference,
        in_ledger=payment.in_ledger,
        ledger=book.configuration.ledger,
    )


def _mapped(subject: Subject, found: Resolution | None, payment: MappedPayment) -> Mapped:
    return Mapped(
        MappingOutcome.CHARGED,
        client=found.client_label if found else None,
        project=found.project_label if found else None,
        consulted=subject.consulted,
        payment=payment,
    )
