"""What every check is told: the book, the moment, and how patient to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.settings import ReconcilerSettings


@dataclass(frozen=True)
class Scope:
    """One reconciliation's view of one book."""

    book: str
    now: datetime
    settings: ReconcilerSettings

    def overdue_before(self, last_progress_at: datetime | None) -> datetime:
        """Return the instant before which waiting is too long.

        A stage that made progress lately has a backlog and gets more time than one at rest.
        """
        resting = self.now - self.settings.grace
        if last_progress_at is None or last_progress_at < resting:
            return resting
        return self.now - self.settings.backlog_grace

    def checked(self, scope: str, causes: frozenset[Cause], findings: Sequence[Finding]) -> Checked:
        """Return the outcome of a check; one cut off at the limit proves nothing right."""
        cut_off = len(findings) >= self.settings.findings_max
        return Checked(scope, frozenset() if cut_off else causes, tuple(findings))
