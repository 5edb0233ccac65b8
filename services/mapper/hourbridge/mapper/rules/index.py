"""A book's configuration compiled for mapping: every rule behind a dictionary lookup."""

from __future__ import annotations

from datetime import date

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    DatedSubcontractor,
    ExpenseMapping,
    ProjectMapping,
    StaffMapping,
    TaskMapping,
)
from hourbridge.mapper.rules.engagement import (
    BookPolicies,
    Engagement,
    book_policies,
    engagement,
)
from hourbridge.mapper.rules.linked import LinkedRules
from hourbridge.mapper.rules.lookup import RuleTable, SourceKey
from hourbridge.mapper.rules.names import normal
from hourbridge.mapper.rules.rate_index import RateIndex


class CompiledBook:
    """One version of a book's configuration; immutable once built, safe to share by threads."""

    def __init__(self, configuration: BookConfiguration, version: int) -> None:
        self.configuration = configuration
        self.version = version
        self.sources = frozenset(source.name for source in configuration.sources)
        self.clients: RuleTable[SourceKey, ClientMapping] = RuleTable(
            ((rule.source, normal(rule.client)), rule) for rule in configuration.clients
        )
        self.projects: RuleTable[SourceKey, ProjectMapping] = RuleTable(
            ((rule.source, normal(rule.project)), rule) for rule in configuration.projects
        )
        self.tasks: RuleTable[SourceKey, TaskMapping] = RuleTable(
            ((rule.source, normal(rule.task)), rule) for rule in configuration.tasks
        )
        self.expenses: RuleTable[SourceKey, ExpenseMapping] = RuleTable(
            ((rule.source, normal(rule.category)), rule) for rule in configuration.expenses
        )
        self.staff: RuleTable[SourceKey, StaffMapping] = RuleTable(
            ((rule.source, normal(rule.staff)), rule) for rule in configuration.staff
        )
        self.subcontractors: RuleTable[SourceKey, DatedSubcontractor] = RuleTable(
            ((None, normal(rule.staff)), rule) for rule in configuration.subcontractors
        )
        self.staff_zones = {
            normal(each.staff): each.zone for each in configuration.time.staff_zones
        }
        self.source_zones = {source.name: source.zone for source in configuration.sources}
        self.composing_sources = {
            source.name: source.invoices_from
            for source in configuration.sources
            if source.invoices == "composed"
        }
        self.rates = RateIndex(configuration.rates, configuration.currency)
        self.posts_time = _posts_time(configuration)
        self.linked = LinkedRules()
        self._undated = book_policies(configuration)
        self._policies: dict[date, BookPolicies] = {}
        self._engagements: dict[tuple[int, int, int], Engagement] = {}

    def engagement(
        self, client: ClientMapping, project: ProjectMapping | None, day: date
    ) -> Engagement:
        """Return what holds for work of ``day`` on ``project`` of ``client``; computed once.

        Rules are identified by object: they live as long as this configuration does.
        """
        own = self._undated if not self.configuration.policies else self._on(day)
        key = (id(client), id(project), id(own))
        found = self._engagements.get(key)
        if found is None:
            found = self._engagements[key] = engagement(self.configuration, client, project, own)
        return found

    def _on(self, day: date) -> BookPolicies:
        """Return the book's policies on a day; days under the same rules share one object."""
        found = self._policies.get(day)
        if found is None:
            made = book_policies(self.configuration, day)
            shared = (known for known in self._policies.values() if known == made)
            found = self._policies[day] = next(shared, made)
        return found


def _posts_time(book: BookConfiguration) -> bool:
    """Return whether any worked time may be posted: most books skip all that follows from it."""
    time = book.posting.time
    asked = (
        time.time_activities,
        *(rule.time_activities for rule in time.by_workflow),
        *(rule.time_activities for rule in book.staff),
        *(rule.time_activities for rule in book.projects),
    )
    return "worked" in asked
