"""The billing calendar: when each client's periods end, and what is dated and due when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

from hourbridge.billing.grouping import billing_period, is_on_demand
from hourbridge.cli.policy_documents.gathered import Gathered
from hourbridge.cli.policy_documents.markdown import table
from hourbridge.common.book import Grouping, InvoicingPolicy
from hourbridge.common.calendar import Period, cut_off

_BY = {
    Grouping.ENTRY: "a document for each entry",
    Grouping.PROJECT_MONTH: "a document per project and month",
    Grouping.PROJECT_ON_DEMAND: "a document per project, when asked for",
    Grouping.CLIENT_MONTH: "a document per client and month",
    Grouping.CLIENT_QUARTER: "a document per client and quarter",
    Grouping.CLIENT_ON_DEMAND: "a document per client, when asked for",
}


def calendar_page(facts: Gathered) -> str:
    """Return the page."""
    lines = facts.headed(f"Billing calendar {facts.year}")
    whose = sorted(_policies(facts), key=lambda pair: pair[1].model_dump_json())
    for _, group in groupby(whose, key=lambda pair: pair[1].model_dump_json()):
        names = list(group)
        lines += _section(facts, sorted(name for name, _ in names), names[0][1])
    review = facts.book.review.kinds
    if review:
        kinds = ", ".join(kind.replace("_", " ") for kind in review)
        lines += [f"A person releases each of these before it is posted: {kinds}.", ""]
    if facts.book.currencies.revaluation == "reversing":
        lines += ["Open items in other currencies are revalued at each month's end.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _policies(facts: Gathered) -> Iterator[tuple[str, InvoicingPolicy]]:
    book = facts.book
    yield "everybody else", book.invoicing
    for dated in book.policies:
        if dated.invoicing is not None:
            since = f" from {dated.effective_from}" if dated.effective_from else ""
            yield f"everybody else{since}", dated.invoicing
    for client in book.clients:
        if client.invoicing is not None:
            yield f"client {client.client}", client.invoicing
    for project in book.projects:
        if project.invoicing is not None:
            yield f"project {project.project}", project.invoicing


def _section(facts: Gathered, names: list[str], policy: InvoicingPolicy) -> list[str]:
    how = "by itself when the period is over" if policy.automatic else "by `hourbridge bill`"
    state = "posted at once" if policy.status == "final" else "drafts until somebody releases them"
    lines = [
        f"## {', '.join(names)}",
        "",
        f"{_BY[policy.grouping][0].upper()}{_BY[policy.grouping][1:]}; billed {how}; {state}; "
        f"due {policy.due_days} days after its date; numbered {policy.number_prefix}-.",
        "",
    ]
    if policy.grouping is Grouping.ENTRY or is_on_demand(policy.grouping):
        return lines
    return [*lines, *_periods(facts, policy)]


def _periods(facts: Gathered, policy: InvoicingPolicy) -> list[str]:
    shown = facts.display
    rows = [
        (
            period.label,
            shown.day(period.last),
            shown.instant(cut_off(period, facts.book.zone)),
            shown.day(period.last),
            shown.day(period.last + timedelta(days=policy.due_days)),
        )
        for period in _of_year(policy.grouping, facts.year)
    ]
    headings = ("period", "last work day", "over at", "document date", "due")
    return table(headings, rows, "")


def _of_year(grouping: Grouping, year: int) -> Iterator[Period]:
    day = date(year, 1, 1)
    while day.year == year:
        period = billing_period(grouping, day)
        if period is None:
            return
        yield period
        day = period.last + timedelta(days=1)
