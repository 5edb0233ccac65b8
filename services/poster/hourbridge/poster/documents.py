"""Documents from priced lines: pure; numbers and storage are somebody else's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from hourbridge.billing.assembly import Assembly, PricedLine
from hourbridge.billing.basis import LineBasis, charge_kind
from hourbridge.billing.cutting import Rest
from hourbridge.billing.expenses import receipts_of
from hourbridge.billing.grouping import billing_period, document_date, is_on_demand
from hourbridge.billing.taxes import tax_lines, terms_on
from hourbridge.common.book import CustomFieldRule, Grouping, LedgerReference, TaxRule
from hourbridge.common.calendar import Period, cut_off
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Charge,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
)
from hourbridge.poster.form_fields import common_fields


@dataclass(frozen=True)
class HeldSupplement:
    """Money that a posted line still lacks; becomes a line of the next document of its group."""

    line_id: str
    work_date: date
    line: DocumentLine
    charge: Charge
    """The charge that the posted line billed last: says to whom and how."""


@dataclass(frozen=True)
class NewLine:
    """A line to be stored. ``amount`` and ``seconds`` are what it adds to what was billed."""

    line: DocumentLine
    amount: Decimal
    seconds: int
    basis: LineBasis | None = None
    carried_seconds: Decimal = Decimal(0)
    fee_key: str | None = None
    charges: tuple[Charge, ...] = ()
    charge_kind: str | None = None
    """What it bills: ``time``, ``expense``, ``flat_fee``; None for what isn't billed to clients."""
    held_back: Rest | None = None
    """What a cap held back of it: becomes a supplement."""

    @property
    def tax(self) -> Decimal:
        """Return the line's tax, with the sign that it adds to what was billed."""
        tax = self.line.tax_amount or Decimal(0)
        return tax if self.amount == self.line.amount else -tax


@dataclass(frozen=True)
class NewDocument:
    """A document to be stored, with what its lines bill."""

    document: Document
    lines: tuple[NewLine, ...]
    engagement_key: str
    group_key: str
    billed_through: date
    run_id: str | None = None


@dataclass(frozen=True)
class Group:
    """The charges that share a document, and the request that bills them."""

    book: str
    engagement_key: str
    group_key: str
    charges: tuple[Charge, ...]
    supplements: tuple[HeldSupplement, ...]
    through: date
    zone: str
    configuration_version: int
    taxes: tuple[TaxRule, ...] = ()
    custom_fields: tuple[CustomFieldRule, ...] = ()
    run_id: str | None = None


def build_document(group: Group, assembly: Assembly, number: str) -> NewDocument:
    """Return the document of a group; one that comes to less than nothing is a credit memo."""
    document_id = derive_id("document", group.book, number, *_content(group))
    lines = [
        _new_line(line, document_id, position)
        for position, line in enumerate(assembly.lines, start=1)
    ]
    for supplement in group.supplements:
        lines.append(_supplement_line(document_id, len(lines) + 1, supplement))
    is_credit = sum((line.amount for line in lines), Decimal(0)) < 0
    if is_credit:
        lines = [_mirrored(line) for line in lines]
    document = _document(group, _billed(group, assembly), document_id, number, is_credit=is_credit)
    terms = terms_on(group.taxes, document.document_date, group.configuration_version)
    taxed = tax_lines([line.line for line in lines], terms, document.currency)
    changes = {"lines": taxed.lines, "taxes": taxed.taxes, "total": taxed.total}
    return NewDocument(
        document=document.model_copy(update={**changes, "discount": assembly.discount}),
        lines=tuple(replace(new, line=line) for new, line in zip(lines, taxed.lines, strict=True)),
        engagement_key=group.engagement_key,
        group_key=group.group_key,
        billed_through=group.through,
        run_id=group.run_id,
    )


def _new_line(line: PricedLine, document_id: str, position: int) -> NewLine:
    return NewLine(
        line.to_document_line(document_id, position),
        amount=line.amount,
        seconds=line.price.billed_seconds,
        basis=line.basis,
        carried_seconds=line.price.carry_out_seconds - line.basis.carry_in_seconds,
        fee_key=line.fee_key,
        charges=line.charges,
        charge_kind=line.basis.kind,
        held_back=line.held_back,
    )


def _billed(group: Group, assembly: Assembly) -> list[Charge]:
    """Return the charges that the document is about, not those that came to nothing."""
    on_lines = [charge for line in assembly.lines for charge in line.charges]
    return [s.charge for s in group.supplements] + on_lines


def _content(group: Group) -> list[str]:
    """Return what makes this document another one than any that ever had its number."""
    charges = sorted(charge.charge_id for charge in group.charges)
    return charges + sorted(supplement.line_id for supplement in group.supplements)


def _document(
    group: Group, billed: Sequence[Charge], document_id: str, number: str, *, is_credit: bool
) -> Document:
    """Return the document without its lines."""
    newest = max(billed, key=lambda charge: (charge.work_date, charge.charge_id))
    grouping = newest.invoicing.grouping
    work_dates = [charge.work_date for charge in billed] + [s.work_date for s in group.supplements]
    day = document_date(grouping, work_dates, group.through)
    period = billing_period(grouping, newest.work_date)
    is_draft = newest.invoicing.status == "draft"
    kind = DocumentKind.CREDIT_MEMO if is_credit else DocumentKind.INVOICE
    return Document(
        document_id=document_id,
        version=1,
        kind=kind,
        status=DocumentStatus.DRAFT if is_draft else DocumentStatus.POSTING,
        number=number,
        ledger=newest.ledger,
        customer=newest.customer,
        job=_common_job(billed),
        client=newest.client,
        currency=newest.currency,
        document_date=day,
        due_date=day + timedelta(days=newest.invoicing.due_days),
        period=period.label if period else None,
        terms=newest.terms,
        email=newest.email,
        memo=newest.invoicing.memo,
        lines=(),
        total=Decimal(0),
        engagement=newest.retainer,
        department=newest.department,
        custom_fields=common_fields(billed, kind, group.custom_fields),
        email_wanted=bool(newest.email_invoice and newest.email and not is_credit),
        configuration_version=group.configuration_version,
        cut_off_at=_cut_off(grouping, period, group),
        attachments=receipts_of(billed),
        run_id=group.run_id,
    )


def _common_job(billed: Sequence[Charge]) -> LedgerReference | None:
    keys = {charge.job.key if charge.job else None for charge in billed}
    return billed[0].job if len(keys) == 1 else None


def _cut_off(grouping: Grouping, period: Period | None, group: Group) -> datetime | None:
    if is_on_demand(grouping):
        period = Period(group.through, group.through)
    return None if period is None else cut_off(period, group.zone)


def _supplement_line(document_id: str, position: int, supplement: HeldSupplement) -> NewLine:
    line = supplement.line.model_copy(
        update={
            "line_id": derive_id("line", document_id, "supplement", supplement.line_id),
            "position": position,
            "supplements_line_id": supplement.line_id,
        }
    )
    return NewLine(
        line,
        amount=line.amount,
        seconds=line.billed_seconds,
        charge_kind=charge_kind(supplement.charge),
    )


def _mirrored(new: NewLine) -> NewLine:
    """Return the line as a credit: prices change sign on the document, not in the books."""
    line = new.line.model_copy(
        update={"unit_price": -new.line.unit_price, "amount": -new.line.amount}
    )
    return replace(new, line=line)
