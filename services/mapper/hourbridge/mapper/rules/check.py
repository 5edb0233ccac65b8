"""What the fields of a configuration can't say alone: whether its rules agree with each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hourbridge.common.book import (
    BookConfiguration,
    FlatFee,
    Grouping,
    InvoicingPolicy,
    ProjectMapping,
)
from hourbridge.common.calendar import Term
from hourbridge.mapper.rules.check_currencies import check_currencies
from hourbridge.mapper.rules.check_payables import check_payables
from hourbridge.mapper.rules.check_pricing import check_pricing
from hourbridge.mapper.rules.check_time import check_time
from hourbridge.mapper.rules.check_workflows import check_workflows
from hourbridge.mapper.rules.findings import Finding, warning
from hourbridge.mapper.rules.names import normal
from hourbridge.mapper.rules.overlaps import overlapping_rules
from hourbridge.mapper.rules.rate_index import describe, scope_of

_DAYS = {Term.DAY: 1, Term.WEEK: 7, Term.MONTH: 31, Term.QUARTER: 92, Term.YEAR: 366}
_PERIODS = {
    Grouping.PROJECT_MONTH: Term.MONTH,
    Grouping.CLIENT_MONTH: Term.MONTH,
    Grouping.CLIENT_QUARTER: Term.QUARTER,
}


def check(book: BookConfiguration) -> list[Finding]:
    """Return all findings; a configuration with a problem must not be applied."""
    return [
        *overlapping_rules(book),
        *_references(book),
        *_rates(book),
        *check_workflows(book),
        *_flat_fees(book),
        *check_pricing(book),
        *check_payables(book),
        *check_time(book),
        *check_currencies(book),
        *_gaps(book),
    ]


def _references(book: BookConfiguration) -> Iterator[Finding]:
    """Names that point to other rules of the document and find none."""
    clients = {normal(rule.client) for rule in book.clients}
    tasks = {normal(rule.task) for rule in book.tasks}
    for index, project in enumerate(book.projects):
        if project.client is not None and normal(project.client) not in clients:
            detail = f"project {project.project!r}: client {project.client!r} has no rule"
            yield Finding("unknown_client", f"projects[{index}].client", detail)
    for index, rate in enumerate(book.rates.rules):
        where = f"rates.rules[{index}]"
        if rate.client is not None and normal(rate.client) not in clients:
            yield warning("unknown_client", where, f"no client rule is called {rate.client!r}")
        if rate.task is not None and normal(rate.task) not in tasks:
            yield warning("unknown_task", where, f"no task rule is called {rate.task!r}")


def _rates(book: BookConfiguration) -> Iterator[Finding]:
    """Rates that can never apply: a scope outside the order, or another currency."""
    order = {frozenset(scope) for scope in book.rates.order}
    currencies: dict[str, set[str]] = {}
    for client in book.clients:
        currencies.setdefault(normal(client.client), set()).add(client.currency or book.currency)
    owners = {
        normal(project.project): normal(project.client)
        for project in book.projects
        if project.client is not None
    }
    for index, rule in enumerate(book.rates.rules):
        where = f"rates.rules[{index}]"
        if scope_of(rule) not in order:
            scope = ", ".join(sorted(scope_of(rule))) or "everything"
            yield Finding("rate_unreachable", where, f"rates.order has no place for ({scope})")
        owner = rule.client or owners.get(normal(rule.project or ""))
        billed_in = currencies.get(normal(owner), set()) if owner else set()
        currency = rule.currency or book.currency
        if billed_in and currency not in billed_in:
            detail = (
                f"{describe(rule)} is in {currency}, client {owner!r} is billed in "
                f"{', '.join(sorted(billed_in))}"
            )
            yield Finding("rate_currency", where, detail)


def _flat_fees(book: BookConfiguration) -> Iterator[Finding]:
    """A fee stands on one document of its term: its term must fit into the document's period."""
    for where, fee, policies in _fees(book):
        for invoicing in policies:
            problem = _fee_problem(fee, invoicing.grouping)
            if problem is not None:
                yield Finding("flat_fee_term", f"{where}.flat_fee", problem)


def _fee_problem(fee: FlatFee, grouping: Grouping) -> str | None:
    if grouping is Grouping.ENTRY:
        return "a document per entry can't carry a fee per term; group by client or project"
    period = _PERIODS.get(grouping)
    if period is None:
        return None
    if _DAYS[fee.term] > _DAYS[period]:
        return (
            f"the fee's term ({fee.term.value}) is longer than its documents' period "
            f"({period.value}); group by the term, or on demand"
        )
    if fee.term is Term.WEEK:
        return f"weeks don't fit into a {period.value}; use day, month, or group on demand"
    return None


def _fees(
    book: BookConfiguration,
) -> Iterator[tuple[str, FlatFee, Sequence[InvoicingPolicy]]]:
    """Yield each fee with every invoicing policy that its documents may follow."""
    for index, client in enumerate(book.clients):
        if client.flat_fee is None:
            continue
        policies = [client.invoicing or book.invoicing]
        if client.invoicing is None:
            policies += [
                project.invoicing
                for project in book.projects
                if project.invoicing is not None and project.client in (None, client.client)
            ]
        yield f"clients[{index}]", client.flat_fee, policies
    for index, project in enumerate(book.projects):
        if project.flat_fee is not None:
            yield f"projects[{index}]", project.flat_fee, _policies_of(book, project)


def _policies_of(book: BookConfiguration, project: ProjectMapping) -> list[InvoicingPolicy]:
    own = [
        client.invoicing
        for client in book.clients
        if client.invoicing is not None and project.client in (None, client.client)
    ]
    return [*own, project.invoicing or book.invoicing]


def _reads_ledger(book: BookConfiguration) -> bool:
    """Return whether the ledger's lists come in, so that clients can be found by their links."""
    return any(source.system == book.ledger.kind for source in book.sources)


def _gaps(book: BookConfiguration) -> Iterator[Finding]:
    """Configurations that are right but park everything."""
    if not book.clients and not (book.lists.resolve_by_links and _reads_ledger(book)):
        yield warning("nothing_mapped", "clients", "no client has a customer: all work will wait")
    if not book.tasks and book.default_item is None:
        yield warning(
            "nothing_mapped", "tasks", "neither tasks nor default_item: all time will wait"
        )
    if not book.rates.use_source_rate and not book.rates.rules:
        yield warning("nothing_mapped", "rates", "no rates at all: hourly work will wait")
