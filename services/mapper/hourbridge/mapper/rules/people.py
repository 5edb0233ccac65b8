"""Who people and vendors of a source are in the ledger: by a rule, else by a link of the lists."""

from __future__ import annotations

from datetime import date

from hourbridge.common.book import LedgerReference, StaffMapping
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import NO_LINKS, Links
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.names import Term
from hourbridge.mapper.rules.payment import vendor_of
from hourbridge.mapper.rules.subject import Subject


def person_rule(
    book: CompiledBook, source: str, subject: Subject, day: date
) -> StaffMapping | None:
    """Return the rule of a person; links say who it is in the ledger where no rule does."""
    rule = first_match(book.staff, source, subject.staff, day)
    if rule is not None and (rule.employee is not None or rule.vendor is not None):
        return rule
    links, id = _links(book, subject), subject.staff.id
    employee, vendor = (links.get("staff", id, kind) for kind in ("employee", "vendor"))
    if employee is None and vendor is None:
        return rule
    return book.linked.person(rule, employee, vendor)


def linked_vendor(book: CompiledBook, subject: Subject, named: Term) -> LedgerReference | None:
    """Return the ledger's vendor for a source's: by a rule, by a link, else by its name."""
    found = vendor_of(book.configuration, named)
    linked = _links(book, subject).get("vendor", named.id, "vendor")
    is_guess = found is None or (found.id is None and found.name == named.name)
    return linked.reference if linked is not None and is_guess else found


def _links(book: CompiledBook, subject: Subject) -> Links:
    return subject.links if book.configuration.lists.resolve_by_links else NO_LINKS
