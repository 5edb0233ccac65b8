"""From an invoice that people composed in the tracker to its charges: mirrored, not priced anew.

Every line becomes a charge of its stated amount, and all of them one document of their own. What
the tracker bills itself is not billed by us a second time: see ``billed_by_source``.
"""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.book import Grouping, InvoicingPolicy, LedgerReference, LineDetail
from hourbridge.common.messages.events import Charge, MappingOutcome, Reason
from hourbridge.common.messages.records import ComposedInvoice, ComposedLine
from hourbridge.mapper.rules.case import without_charges
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.names import Term, term
from hourbridge.mapper.rules.outcome import Mapped, parked, skipped
from hourbridge.mapper.rules.refusals import unknown_source
from hourbridge.mapper.rules.resolve import Resolution, resolve
from hourbridge.mapper.rules.subject import Subject

_MONEY_KINDS = ("time", "expense", "fixed", "discount", "retainer", "other")
_NOT_YET = ("draft", "unknown")
_DUE_DAYS_MAX = 366
_NUMBER_CHARACTERS_MAX = 21
"""QuickBooks Online's limit of a DocNumber; a longer number stands in the memo only."""


def billed_by_source(book: CompiledBook, source: str) -> Reason | None:
    """Return why the client doesn't pay a source's time and expenses: it bills them itself."""
    if source not in book.composing_sources:
        return None
    return skipped("billed_by_source", f"{source} composes the invoices")


def map_composed(
    book: CompiledBook, source: str, record_id: str, invoice: ComposedInvoice, subject: Subject
) -> Mapped:
    """Return the charges of a composed invoice, or every reason why there are none."""
    refusal = _refusal(book, source, invoice)
    if refusal is not None:
        return without_charges(subject, refusal)
    found = resolve(book, source, subject, invoice.invoice_date)
    terms = None
    if found.client is not None:
        terms = book.engagement(found.client, found.project, invoice.invoice_date)
    wrong = [*found.missing, *_contradictions(invoice, terms)]
    if wrong or terms is None:
        return without_charges(subject, *wrong, found=found)
    lines = [line for line in invoice.lines if line.kind in _MONEY_KINDS and line.amount != 0]
    targets = [_target(book, source, line, found) for line in lines]
    if found.missing:
        return without_charges(subject, *found.missing, found=found)
    charges = tuple(
        _charge(book, record_id, invoice, line, target, terms, found)
        for line, target in zip(lines, targets, strict=True)
    )
    if not charges:
        return without_charges(subject, skipped("zero_amount", "the invoice bills nothing"))
    return Mapped(
        MappingOutcome.CHARGED,
        charges=charges,
        client=found.client_label,
        project=found.project_label,
        consulted=subject.consulted,
    )


def _refusal(book: CompiledBook, source: str, invoice: ComposedInvoice) -> Reason | None:
    if invoice.deleted is not None:
        return skipped("deleted", f"deleted at the source ({invoice.deleted.how})")
    if invoice.status == "void":
        return skipped("void", "the tracker's invoice is void")
    return unknown_source(book, source) or _not_taken_over(book, source, invoice)


def _not_taken_over(book: CompiledBook, source: str, invoice: ComposedInvoice) -> Reason | None:
    if source not in book.composing_sources:
        return skipped("billed_by_us", f"the book bills the work of {source} itself")
    begins = book.composing_sources[source]
    if begins is not None and invoice.invoice_date < begins:
        return skipped("before_start", f"dated before {begins}, from when invoices are taken over")
    if invoice.status in _NOT_YET:
        return skipped("not_final", f"the tracker's invoice is {invoice.status_text or 'a draft'}")
    return None


def _contradictions(invoice: ComposedInvoice, terms: Engagement | None) -> list[Reason]:
    """Return what the invoice says that our books can't state as it is."""
    label = f"invoice:{invoice.number or invoice.external_id}"
    tax = invoice.tax_total or Decimal(0)
    amounts = (line.amount for line in invoice.lines if line.kind in _MONEY_KINDS)
    net = sum(amounts, Decimal(0))
    found = []
    if net != invoice.total - tax:
        detail = f"its lines sum to {net}, its total less tax is {invoice.total - tax}"
        found.append(parked("lines_differ_from_total", detail, label))
    if terms is None:
        return found
    if invoice.currency is not None and invoice.currency != terms.currency:
        detail = f"it is in {invoice.currency}, the client is billed in {terms.currency}"
        found.append(parked("currency_differs", detail, label))
    if tax != 0 and terms.tax_code is None:
        detail = f"it charges tax of {tax}, and no tax code is mapped for the client"
        found.append(parked("tax_unmapped", detail, label))
    return found


def _target(
    book: CompiledBook, source: str, line: ComposedLine, found: Resolution
) -> tuple[LedgerReference | None, LedgerReference | None]:
    """Return the item and account that a line posts to; note when it leads nowhere."""
    named: Term = term(line.task_id, line.name)
    if line.kind == "expense":
        category = first_match(book.expenses, source, named, found.day)
        if category is not None:
            return category.item, category.account
    task = first_match(book.tasks, source, named, found.day)
    item = task.item if task is not None else book.configuration.default_item
    if item is None:
        detail = f"no item for the line {named.label!r}, and the book has no default_item"
        found.miss("task", named.label, detail)
    return item, None


def _charge(
    book: CompiledBook,
    record_id: str,
    invoice: ComposedInvoice,
    line: ComposedLine,
    target: tuple[LedgerReference | None, LedgerReference | None],
    terms: Engagement,
    found: Resolution,
) -> Charge:
    item, account = target
    return Charge(
        charge_id=f"{record_id}-{line.position:05}",  # in this order they stand on the document
        kind="expense",
        workflow=terms.workflow,
        customer=terms.customer,
        job=terms.job,
        item=item,
        account=account,
        class_ref=terms.class_ref,
        tax_code=None if line.taxable is False else terms.tax_code,
        terms=terms.terms,
        work_date=invoice.invoice_date,
        amount=line.amount,
        currency=terms.currency,
        task=line.name,
        project=found.project_label,
        project_rule=found.project_rule,
        client=found.client_label or "",
        description=_description(line),
        email=terms.email,
        rounding=terms.rounding,
        rounding_origin=terms.rounding_origin,
        invoicing=_invoicing(invoice, terms.invoicing),
        invoicing_origin=terms.invoicing_origin,
        ledger=book.configuration.ledger,
        retainer=terms.retainer,
        department=terms.department,
        email_invoice=terms.email_invoice or None,
        document_number=_number(invoice),
    )


def _invoicing(invoice: ComposedInvoice, own: InvoicingPolicy) -> InvoicingPolicy:
    """Return the client's policy with all that the composed invoice decides itself."""
    due_days = own.due_days
    if invoice.due_date is not None:
        due_days = min(max((invoice.due_date - invoice.invoice_date).days, 0), _DUE_DAYS_MAX)
    memo = f"Invoice {invoice.number}" if invoice.number else own.memo
    return own.model_copy(
        update={
            "grouping": Grouping.ENTRY,
            "lines": LineDetail.ENTRY,
            "automatic": True,
            "due_days": due_days,
            "discount": None,
            "memo": memo,
        }
    )


def _number(invoice: ComposedInvoice) -> str | None:
    number = (invoice.number or "").strip()
    return number if 0 < len(number) <= _NUMBER_CHARACTERS_MAX else None


def _description(line: ComposedLine) -> str | None:
    return "\n".join(filter(None, (line.name, line.notes))) or None
