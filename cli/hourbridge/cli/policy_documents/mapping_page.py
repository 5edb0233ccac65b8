"""The mapping document: which term of the sources is which of the ledger's, and since when."""

from __future__ import annotations

from collections.abc import Iterator

from hourbridge.cli.policy_documents.gathered import Gathered
from hourbridge.cli.policy_documents.markdown import holds, named, table
from hourbridge.common.book import RateRule

_ANY = "any"


def mapping_page(facts: Gathered) -> str:
    """Return the page."""
    lines = facts.headed("Mapping")
    for part in (_ends, _clients, _work, _money, _people, _accounts):
        lines += part(facts)
    return "\n".join(lines).rstrip() + "\n"


def _ends(facts: Gathered) -> list[str]:
    book = facts.book
    lines = ["## Between what", ""]
    rows = [(source.name, source.system, source.zone or "") for source in book.sources]
    lines += table(("source", "system", "zone"), rows, "No source.")
    ledger = book.ledger
    lines.append(
        f"Everything goes to company {ledger.company_id} of {ledger.kind.replace('_', ' ')} "
        f"(connection {ledger.connection}), kept in {book.currency}. What has no rule below waits; "
        "it is never posted under a guess."
    )
    return [*lines, ""]


def _clients(facts: Gathered) -> list[str]:
    book = facts.book
    clients = (
        (
            rule.client,
            rule.source or _ANY,
            named(rule.customer),
            rule.currency or book.currency,
            rule.workflow.value if rule.workflow else "",
            named(rule.terms),
            rule.tax_code or book.tax_code or "",
            holds(rule),
        )
        for rule in book.clients
    )
    projects = (
        (
            rule.project,
            rule.client or "",
            named(rule.job),
            "" if rule.billable is None else "yes" if rule.billable else "never",
            named(rule.class_ref),
            ", ".join(f"{part.client} x{part.weight}" for part in rule.shared_over),
            holds(rule),
        )
        for rule in book.projects
    )
    return [
        *("## Clients and projects", ""),
        *table(
            ("client", "source", "customer", "currency", "workflow", "terms", "tax", "holds"),
            clients,
            "No client is mapped.",
        ),
        *table(
            ("project", "client", "job", "billable", "class", "expenses shared over", "holds"),
            projects,
            "No project has rules of its own: work bills to the customer.",
        ),
    ]


def _work(facts: Gathered) -> list[str]:
    book = facts.book
    tasks = (
        (
            rule.task,
            rule.project or _ANY,
            named(rule.item),
            "never" if rule.billable is False else "",
            rule.tax_code or "",
            holds(rule),
        )
        for rule in book.tasks
    )
    expenses = (
        (
            rule.category,
            named(rule.item) or named(rule.account),
            "item" if rule.item else "account",
            f"{rule.markup_percent} %",
            named(rule.vendor),
            holds(rule),
        )
        for rule in book.expenses
    )
    other = named(book.default_item)
    return [
        *("## Work and expenses", ""),
        *table(
            ("task", "project", "item", "billable", "tax", "holds"), tasks, "No task is mapped."
        ),
        f"Time without a task: {other or 'waits'}.",
        "",
        *table(
            ("category", "item or account", "kind", "markup", "vendor", "holds"),
            expenses,
            "No expense category is mapped.",
        ),
    ]


def _money(facts: Gathered) -> list[str]:
    book = facts.book
    first = (
        "The entry's own rate comes first" if book.rates.use_source_rate else "Rules alone count"
    )
    order = ", ".join("+".join(scope) or "everything" for scope in book.rates.order)
    rows = (
        (_scope(rule), f"{rule.amount} {rule.currency or book.currency}/h", holds(rule))
        for rule in book.rates.rules
    )
    taxes = (
        (rule.code, f"{rule.percent} %", rule.method, rule.agency or "", holds(rule))
        for rule in book.taxes
    )
    return [
        *("## Rates and taxes", ""),
        f"{first}. Then, the first that fits: {order}.",
        "",
        *table(("scope", "rate", "holds"), rows, "No rate rules."),
        *table(("tax", "rate", "rounded per", "agency", "holds"), taxes, "No taxes."),
    ]


def _scope(rule: RateRule) -> str:
    parts = (
        f"{name} {getattr(rule, name)}"
        for name in ("client", "project", "task", "staff")
        if getattr(rule, name)
    )
    return ", ".join(parts) or "everything"


def _people(facts: Gathered) -> list[str]:
    book = facts.book
    billable = book.billable
    owed = (
        (
            rule.staff,
            named(rule.vendor),
            f"{rule.cost_rate} {rule.currency or book.currency}/h",
            f"{rule.holdback_percent} %",
            "yes" if rule.rebill else "no",
            holds(rule),
        )
        for rule in book.subcontractors
    )
    return [
        *("## Who is paid, and what is charged", ""),
        *_sentences(billable.approved_only, billable.hours, billable.unknown_state),
        "",
        *table(
            ("subcontractor", "vendor", "cost", "hold-back", "rebilled", "holds"),
            owed,
            "No subcontractors.",
        ),
    ]


def _sentences(approved_only: bool, hours: str, unknown: str) -> Iterator[str]:
    yield f"- {'Only approved time is charged.' if approved_only else 'Approval is not needed.'}"
    counted = "billable time that the source states" if hours == "billable" else "all worked time"
    yield f"- Charged is {counted}."
    yield f"- Where a source doesn't say whether the client pays: {unknown.replace('_', ' ')}."
    yield "- Payroll gets worked time (`hourbridge payroll export`), never billed time."


def _accounts(facts: Gathered) -> list[str]:
    rows = (
        (account.role.value.replace("_", " "), named(account.ledger), account.name or "")
        for account in facts.book.accounts
    )
    headings = ("role", "account in the ledger", "in journals")
    return ["## Accounts", "", *table(headings, rows, "No account roles are named.")]
