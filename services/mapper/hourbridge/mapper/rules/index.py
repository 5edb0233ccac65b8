"""A book's configuration compiled for mapping: every rule behind a dictionary lookup."""

from __future__ import annotations

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    ExpenseMapping,
    ProjectMapping,
    TaskMapping,
)
from hourbridge.mapper.rules.engagement import Engagement, engagement
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
        self.rates = RateIndex(configuration.rates, configuration.currency)
        self._engagements: dict[tuple[int, int], Engagement] = {}

    def engagement(self, client: ClientMapping, project: ProjectMapping | None) -> Engagement:
        """Return what holds for work on ``project`` of ``client``; computed once per pair.

        Rules are identified by object: they live as long as this configuration does.
        """
        key = (id(client), id(project))
        found = self._engagements.get(key)
        if found is None:
            found = self._engagements[key] = engagement(self.configuration, client, project)
        return found
