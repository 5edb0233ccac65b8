"""Settings of the reconciler."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from hourbridge.common.runtime.settings import CommonSettings


class ReconcilerSettings(CommonSettings):
    """What the reconciler can be told, beside what every service can."""

    http_port: int = Field(
        8084, ge=0, le=65535, description="Port of the HTTP server; 0 = any free."
    )
    reconcile_interval_seconds: int = Field(
        3600, ge=10, description="Pause between reconciliations of all books."
    )
    measure_interval_seconds: int = Field(
        300, ge=1, description="Pause between refreshes of the unbilled and discrepancy gauges."
    )
    compact_interval_seconds: int = Field(
        30, ge=1, description="Pause between clean-ups of replaced rows and merges of positions."
    )
    grace_seconds: int = Field(
        900, ge=0, description="How long work may be in flight while its stage stands still."
    )
    backlog_grace_seconds: int = Field(
        14_400, ge=0, description="How long work may be in flight while its stage is busy."
    )
    recheck_seconds: float = Field(
        2.0, ge=0, description="Pause before a new suspicion is checked again."
    )
    ledger_margin_days: int = Field(
        31, ge=0, description="How far before and after our documents the ledger is read."
    )
    ledger_only_scope: Literal["markers", "customers"] = Field(
        "customers",
        description="Which documents of others in the ledger are suspicious: those with our marks "
        "only, or all of the customers that we bill.",
    )
    leakage_after_days: int = Field(
        30, ge=0, description="Age from which unbilled work counts as leakage."
    )
    findings_max: int = Field(
        5000, ge=1, description="Most findings of one check that one run writes down."
    )

    @property
    def grace(self) -> timedelta:
        """Return how long work may be in flight while its stage stands still."""
        return timedelta(seconds=self.grace_seconds)

    @property
    def backlog_grace(self) -> timedelta:
        """Return how long work may be in flight while its stage is busy."""
        return timedelta(seconds=max(self.backlog_grace_seconds, self.grace_seconds))
