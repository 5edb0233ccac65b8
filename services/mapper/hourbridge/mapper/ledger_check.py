"""Whether the ledger has what a configuration names, and whether it can be posted to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from hourbridge.common.book import BookConfiguration, LedgerBinding, LedgerReference
from hourbridge.common.book.accounts import name_of
from hourbridge.common.errors import ConfigurationInvalid, HourbridgeError, LedgerRejected
from hourbridge.connectors.ledger import Ledger, LedgerEntity
from hourbridge.mapper.rules.findings import Finding, warning

LedgerOpener = Callable[[LedgerBinding], Ledger | None]
"""Opens the ledger of a binding; None when there is no connection to it (yet)."""


def no_ledger(_binding: LedgerBinding) -> Ledger | None:
    """Open nothing: configurations are checked without the ledger."""
    return None


def check_ledger(book: BookConfiguration, opener: LedgerOpener) -> list[Finding]:
    """Return what of ``book`` the ledger doesn't hold or would refuse.

    Without a connection, or with a ledger that can't be asked now, there is one warning: what was
    not checked is said, never assumed.
    """
    try:
        ledger = opener(book.ledger)
        if ledger is None:
            return [_unchecked("there is no connection to the ledger")]
        with closing(ledger):
            return list(_findings(book, ledger))
    except ConfigurationInvalid as error:
        return [Finding("ledger_binding", "ledger", error.what)]
    except HourbridgeError as error:
        return [_unchecked(str(error))]


def _unchecked(why: str) -> Finding:
    return warning("ledger_not_checked", "ledger", why)


def _findings(book: BookConfiguration, ledger: Ledger) -> Iterator[Finding]:
    resolved = _Resolved(ledger)
    for where, kind, reference in references(book):
        try:
            entity = resolved.get(kind, reference)
        except LedgerRejected as error:  # several of that name, say
            yield Finding(f"{kind}_unclear", where, error.what)
        else:
            yield from _entity_findings(where, kind, reference, entity)
    yield from _currency_findings(book, resolved)
    yield from _account_findings(book, resolved)
    for problem in ledger.check():
        yield Finding("ledger_setup", "ledger", problem)


def _currency_findings(book: BookConfiguration, resolved: _Resolved) -> Iterator[Finding]:
    for index, client in enumerate(book.clients):
        entity = resolved.known("customer", client.customer)
        billed_in = client.currency or book.currency
        if entity is not None and entity.currency not in (None, billed_in):
            detail = f"customer {entity.name!r} is kept in {entity.currency}, not {billed_in}"
            yield Finding("customer_currency", f"clients[{index}].customer", detail)


def _account_findings(book: BookConfiguration, resolved: _Resolved) -> Iterator[Finding]:
    """Yield accounts that stand on the wrong side of the books for the part they are to play."""
    for index, account in enumerate(book.accounts):
        entity = resolved.known("account", account.ledger) if account.ledger else None
        if entity is None or entity.classification is None:
            continue
        wanted = _CLASSIFICATIONS[name_of((), account.role).partition(":")[0]]
        if entity.classification not in wanted:
            detail = (
                f"account {entity.name!r} is of the class {entity.classification}, "
                f"a {account.role} account is of {' or '.join(wanted)}"
            )
            yield Finding("account_class", f"accounts[{index}].ledger", detail)


_PROFIT_AND_LOSS = ("revenue", "expense")
_CLASSIFICATIONS = {
    "Assets": ("asset",),
    "Liabilities": ("liability",),
    "Equity": ("equity",),
    "Income": _PROFIT_AND_LOSS,
    "Expenses": _PROFIT_AND_LOSS,
}
"""By the first part of a role's name in journals."""


class _Resolved:
    """Asks the ledger once per thing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[tuple[str, str], LedgerEntity | None] = {}

    def get(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        key = (kind, reference.key)
        if key not in self._known:
            self._known[key] = self._ledger.resolve(kind, reference)
        return self._known[key]

    def known(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        """Return what an earlier ``get`` found."""
        return self._known.get((kind, reference.key))


Named = tuple[str, str, LedgerReference]


def references(book: BookConfiguration) -> Iterator[Named]:
    """Yield all that a configuration names in the ledger: where, the list, the reference."""
    yield from _client_references(book)
    yield from _project_references(book)
    yield from _item_references(book)
    yield from _cost_references(book)
    yield from _posting_references(book)
    for index, account in enumerate(book.accounts):
        if account.ledger is not None:
            yield f"accounts[{index}].ledger", "account", account.ledger
    for index, tax in enumerate(book.taxes):
        if tax.percent:
            code = tax.ledger_code or LedgerReference(name=tax.code)
            yield f"taxes[{index}]", "tax_code", code


def _client_references(book: BookConfiguration) -> Iterator[Named]:
    for index, client in enumerate(book.clients):
        where = f"clients[{index}]"
        yield f"{where}.customer", "customer", client.customer
        if client.terms is not None:
            yield f"{where}.terms", "term", client.terms
        if client.department is not None:
            yield f"{where}.department", "department", client.department
        if client.flat_fee is not None and client.flat_fee.item is not None:
            yield f"{where}.flat_fee.item", "item", client.flat_fee.item


def _project_references(book: BookConfiguration) -> Iterator[Named]:
    for index, project in enumerate(book.projects):
        where = f"projects[{index}]"
        if project.job is not None:
            yield f"{where}.job", "customer", project.job
        if project.flat_fee is not None and project.flat_fee.item is not None:
            yield f"{where}.flat_fee.item", "item", project.flat_fee.item
        if project.class_ref is not None:
            yield f"{where}.class_ref", "class", project.class_ref
        if project.department is not None:
            yield f"{where}.department", "department", project.department


def _item_references(book: BookConfiguration) -> Iterator[Named]:
    for index, task in enumerate(book.tasks):
        yield f"tasks[{index}].item", "item", task.item
        if task.class_ref is not None:
            yield f"tasks[{index}].class_ref", "class", task.class_ref
    for index, expense in enumerate(book.expenses):
        if expense.item is not None:
            yield f"expenses[{index}].item", "item", expense.item
        if expense.account is not None:
            yield f"expenses[{index}].account", "account", expense.account
    if book.default_item is not None:
        yield "default_item", "item", book.default_item


def _posting_references(book: BookConfiguration) -> Iterator[Named]:
    """Yield what purchases are paid from."""
    paying = book.posting.expenses
    named: list[tuple[str, str, LedgerReference | None]] = [
        ("posting.expenses.bank_account", "account", paying.bank_account),
        ("posting.expenses.card_account", "account", paying.card_account),
        *(
            (f"posting.expenses.cards[{index}].account", "account", card.account)
            for index, card in enumerate(paying.cards)
        ),
    ]
    for where, kind, reference in named:
        if reference is not None:
            yield where, kind, reference


def _cost_references(book: BookConfiguration) -> Iterator[Named]:
    for index, subcontractor in enumerate(book.subcontractors):
        yield f"subcontractors[{index}].vendor", "vendor", subcontractor.vendor
        if subcontractor.account is not None:
            yield f"subcontractors[{index}].account", "account", subcontractor.account
    for index, person in enumerate(book.staff):
        if person.vendor is not None:
            yield f"staff[{index}].vendor", "vendor", person.vendor
        if person.employee is not None:
            yield f"staff[{index}].employee", "employee", person.employee
    for index, expense in enumerate(book.expenses):
        if expense.vendor is not None:
            yield f"expenses[{index}].vendor", "vendor", expense.vendor


def _entity_findings(
    where: str, kind: str, reference: LedgerReference, entity: LedgerEntity | None
) -> Iterator[Finding]:
    if entity is None:
        yield Finding(f"{kind}_missing", where, f"the ledger has no {kind} {reference.key}")
        return
    label = f"{kind} {entity.name!r} ({entity.ledger_id})"
    if not entity.is_active:
        yield Finding(f"{kind}_inactive", where, f"{label} is closed in the ledger")
    if entity.is_header:
        yield Finding(f"{kind}_header", where, f"{label} is a header; nothing can be posted to it")
    if reference.id is not None and reference.name not in (None, entity.name):
        detail = f"the mapping calls it {reference.name!r}, the ledger {entity.name!r}"
        yield warning("name_conflict", where, f"{label}: {detail}")
