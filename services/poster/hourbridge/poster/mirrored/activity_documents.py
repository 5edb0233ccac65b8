"""Time activities as documents: pure; numbers and storage are somebody else's."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Activity,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    RoundingStep,
)
from hourbridge.common.money import EXACT, decimal_text
from hourbridge.connectors.statements import posted_minutes

NUMBER_MARK = "T"
"""What stands between the invoices' prefix and the number."""
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60
_NOTHING = Decimal(0)


def build_activity(
    activity: Activity, book: str, number: str, configuration_version: int
) -> Document:
    """Return the document of a piece of work: one line, without money."""
    document_id = derive_id("activity", book, number, activity.activity_id)
    document = Document(
        document_id=document_id,
        version=1,
        kind=DocumentKind.TIME_ACTIVITY,
        status=DocumentStatus.POSTING,
        number=number,
        ledger=activity.ledger,
        client=activity.client,
        currency=activity.currency,
        document_date=activity.work_date,
        lines=(),
        total=_NOTHING,
        configuration_version=configuration_version,
    )
    return document.model_copy(update=content_of(activity, document_id))


def content_of(activity: Activity, document_id: str) -> dict[str, object]:
    """Return what a piece of work makes its document say; number and place in the ledger stay."""
    return {
        "customer": activity.customer,
        "job": activity.job,
        "vendor": activity.vendor,
        "employee": activity.employee,
        "department": activity.department,
        "client": activity.client,
        "document_date": activity.work_date,
        "lines": (_line(activity, document_id),),
        "activity": activity,
    }


def _line(activity: Activity, document_id: str) -> DocumentLine:
    minutes = posted_minutes(activity.seconds)
    return DocumentLine(
        line_id=derive_id("line", document_id, activity.activity_id),
        position=1,
        description=activity.description or "",
        item=activity.item,
        class_ref=activity.class_ref,
        service_date=activity.work_date,
        quantity=EXACT.divide(Decimal(minutes), Decimal(_MINUTES_PER_HOUR)),
        unit_price=_NOTHING,
        amount=_NOTHING,
        worked_seconds=activity.seconds,
        client=activity.client or None,
        project=activity.project,
        roundings=_roundings(activity.seconds, minutes),
    )


def _roundings(seconds: int, minutes: int) -> tuple[RoundingStep, ...]:
    """Return what became of the seconds: ledgers keep whole minutes."""
    posted = minutes * _SECONDS_PER_MINUTE
    if posted == seconds:
        return ()
    is_least = minutes == 1 and seconds * 2 < _SECONDS_PER_MINUTE
    return (
        RoundingStep(
            step="minimum" if is_least else "quantity",
            of="worked time",
            mode="up" if is_least else "half_up",
            unit="60 s",
            before=Decimal(seconds),
            after=Decimal(posted),
            policy=f"the ledger keeps whole minutes: {decimal_text(Decimal(minutes))}",
        ),
    )
