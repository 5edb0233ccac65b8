"""Workflows have templates of their own; what belongs to one can't be mixed into another."""

from __future__ import annotations

from collections.abc import Iterator

from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    PolicyOverrides,
    ProjectMapping,
    Workflow,
)
from hourbridge.mapper.rules.check_retainers import check_retainers
from hourbridge.mapper.rules.findings import Finding
from hourbridge.mapper.rules.names import normal

_NOT_WITH = {
    Workflow.NON_BILLABLE: ("flat_fee", "cap", "retainer"),
    Workflow.PASS_THROUGH: ("flat_fee", "retainer"),
    Workflow.SUBCONTRACTOR: ("retainer",),
    Workflow.STANDARD: ("retainer",),
}
"""Policies that a workflow's template has no place for."""


def check_workflows(book: BookConfiguration) -> Iterator[Finding]:
    """Find engagements that mix templates, or lack what theirs needs."""
    for index, client in enumerate(book.clients):
        where = f"clients[{index}]"
        yield from _mixed(where, client, client.workflow or Workflow.STANDARD)
        if client.workflow is Workflow.RETAINER:
            rules: tuple[PolicyOverrides, ...] = (client, *_projects_of(book, client))
            yield from _needs_retainer(where, rules)
    for index, project in enumerate(book.projects):
        where = f"projects[{index}]"
        owners = _owners(book, project)
        yield from _mixed(where, project, _workflow(project, owners))
        if project.workflow is Workflow.RETAINER:
            yield from _needs_retainer(where, (project, *owners))
        yield from _contradicted(where, project, owners)
    yield from _subcontractors(book)
    yield from check_retainers(book)


def _mixed(where: str, rule: PolicyOverrides, workflow: Workflow) -> Iterator[Finding]:
    for policy in _NOT_WITH.get(workflow, ()):
        if getattr(rule, policy) is not None:
            detail = f"the {workflow.value} workflow has no place for a {policy}"
            yield Finding("workflow_mixed", f"{where}.{policy}", detail)


def _needs_retainer(where: str, rules: tuple[PolicyOverrides, ...]) -> Iterator[Finding]:
    if all(rule.retainer is None for rule in rules):
        detail = "the retainer workflow needs a retainer policy that names the engagement"
        yield Finding("retainer_missing", f"{where}.workflow", detail)


def _contradicted(
    where: str, project: ProjectMapping, owners: tuple[ClientMapping, ...]
) -> Iterator[Finding]:
    """A client's workflow goes before its project's: another one there would never apply."""
    for client in owners:
        if client.workflow and project.workflow and client.workflow is not project.workflow:
            detail = (
                f"client {client.client!r} follows {client.workflow.value}, "
                f"so {project.workflow.value} would never apply"
            )
            yield Finding("workflow_mixed", f"{where}.workflow", detail)


def _subcontractors(book: BookConfiguration) -> Iterator[Finding]:
    if book.subcontractors:
        return
    rules = [(f"clients[{n}]", rule.workflow) for n, rule in enumerate(book.clients)]
    rules += [(f"projects[{n}]", rule.workflow) for n, rule in enumerate(book.projects)]
    for where, workflow in rules:
        if workflow is Workflow.SUBCONTRACTOR:
            detail = "the subcontractor workflow needs somebody in subcontractors"
            yield Finding("subcontractor_missing", f"{where}.workflow", detail)


def _workflow(project: ProjectMapping, owners: tuple[ClientMapping, ...]) -> Workflow:
    """Return the template that a project's work follows."""
    of_client = next((client.workflow for client in owners if client.workflow), None)
    return of_client or project.workflow or Workflow.STANDARD


def _owners(book: BookConfiguration, project: ProjectMapping) -> tuple[ClientMapping, ...]:
    if project.client is None:
        return ()
    name = normal(project.client)
    return tuple(client for client in book.clients if normal(client.client) == name)


def _projects_of(book: BookConfiguration, client: ClientMapping) -> tuple[ProjectMapping, ...]:
    name = normal(client.client)
    return tuple(
        project
        for project in book.projects
        if project.client is None or normal(project.client) == name
    )
