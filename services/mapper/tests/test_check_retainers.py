"""Retainers that can't be kept as they are written."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.mapper.rules.check import check
from tests.support.mapping import configuration

ACME = {"client": "Acme", "customer": {"id": "17"}}


def found(**changes: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.where) for finding in check(configuration(**changes))]


def project(name: str, **changes: Any) -> dict[str, Any]:
    terms = {"engagement": "main", **changes.pop("terms", {})}
    return {
        "project": name,
        "client": "Acme",
        "workflow": "retainer",
        "retainer": terms,
        **changes,
    }


def accounts(*roles: str) -> list[dict[str, Any]]:
    return [{"role": role, "ledger": {"name": role}} for role in roles]


DEPOSITS = accounts("customer_deposits", "bank")


def test_projects_may_share_a_retainer_under_the_same_terms() -> None:
    rules = [project("A"), project("B")]
    assert found(clients=[ACME], projects=rules, accounts=DEPOSITS) == []


@pytest.mark.parametrize("terms", [{"kind": "trust"}, {"automatic": False}])
def test_one_retainer_has_one_set_of_terms(terms: dict[str, Any]) -> None:
    rules = [project("A"), project("B", terms={"engagement": " main", **terms})]
    codes = found(clients=[ACME], projects=rules, accounts=DEPOSITS)
    assert ("retainer_contradicted", "projects[1].retainer") in codes


def test_terms_may_change_with_time() -> None:
    later = project("A", terms={"automatic": False}, effective_from="2026-05-01")
    rules = [project("A"), later]
    assert found(clients=[ACME], projects=rules, accounts=DEPOSITS) == []


def test_the_ledger_must_be_told_the_accounts() -> None:
    rules = [project("A", terms={"kind": "trust"})]
    assert found(clients=[ACME], projects=rules) == [("account_unmapped", "accounts")] * 3
    named = [*DEPOSITS, *accounts("trust_bank")]
    assert found(clients=[ACME], projects=rules, accounts=named) == []
