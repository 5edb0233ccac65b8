"""The effect of a configuration on stored records: outcomes, hours and money, before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.common.calendar import period_of
from hourbridge.common.messages.events import Charge, ChargeSetChanged, MappingOutcome
from hourbridge.common.money import EXACT, round_money

SAMPLES_MAX = 20
CHANGES_MAX = 5_000
"""Changed records that are told charge by charge, for whoever knows what is posted."""
_HOUR = Decimal(3600)


@dataclass
class Sum:
    """Charged work of one client in one currency, before any rounding."""

    charges: int = 0
    seconds: int = 0
    money: Decimal = Decimal(0)
    fees: dict[tuple[str, date, str], Decimal] = field(default_factory=dict)
    """Flat fees by their own scope and term: each counts once."""

    def add(self, charge: Charge) -> None:
        """Count one charge."""
        self.charges += 1
        self.seconds += charge.billable_seconds
        if charge.amount is not None:
            self.money += charge.amount
        if charge.flat_fee is not None:
            scope = charge.project or "" if charge.flat_fee_scope == "project" else ""
            term = period_of(charge.work_date, charge.flat_fee.term)
            self.fees[scope, term.first, charge.flat_fee.term] = charge.flat_fee.amount
        elif charge.rate is not None:
            exact = EXACT.multiply(Decimal(charge.billable_seconds), charge.rate.amount)
            self.money += EXACT.divide(exact, _HOUR)

    def report(self, currency: str) -> dict[str, Any]:
        """Return hours and money, money at the currency's minor units."""
        money = sum(self.fees.values(), self.money)
        hours = EXACT.divide(Decimal(self.seconds), _HOUR).quantize(Decimal("0.01"))
        return {
            "charges": self.charges,
            "hours": str(hours),
            "money": str(round_money(money, currency)),
        }


class Effect:
    """Adds up what re-mapping would change."""

    def __init__(self) -> None:
        self.examined = 0
        self.changed = 0
        self._turns: Counter[str] = Counter()
        self._released: Counter[str] = Counter()
        self._newly_waiting: Counter[str] = Counter()
        self._before: dict[tuple[str, str], Sum] = {}
        self._after: dict[tuple[str, str], Sum] = {}
        self._samples: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []

    def add(self, before: ChargeSetChanged, after: ChargeSetChanged, *, is_changed: bool) -> None:
        """Count one record."""
        self.examined += 1
        _add(self._before, before.charges)
        _add(self._after, after.charges)
        if not is_changed:
            return
        self.changed += 1
        self._turns[f"{before.outcome.value} -> {after.outcome.value}"] += 1
        waited = before.outcome is MappingOutcome.PARKED
        waits = after.outcome is MappingOutcome.PARKED
        if waited and not waits:
            self._released.update(_keys(before))
        if waits:
            self._newly_waiting.update(_keys(after) - _keys(before))
        if len(self._samples) < SAMPLES_MAX:
            self._samples.append(_sample(before, after))
        if len(self._changes) < CHANGES_MAX and (before.charges or after.charges):
            self._changes.append(_change(before, after))

    def changes(self) -> list[dict[str, Any]]:
        """Return the charges of changed records, before and after; the first of them if many."""
        return self._changes

    def report(self) -> dict[str, Any]:
        """Return the effect as JSON-ready values."""
        return {
            "records_examined": self.examined,
            "records_changed": self.changed,
            "outcomes": dict(sorted(self._turns.items())),
            "released": dict(self._released.most_common()),
            "newly_waiting": dict(self._newly_waiting.most_common()),
            "clients": self._clients(),
            "samples": self._samples,
        }

    def _clients(self) -> list[dict[str, Any]]:
        """Return the clients whose hours or money change."""
        rows = []
        for client, currency in sorted({*self._before, *self._after}):
            before = self._before.get((client, currency), Sum()).report(currency)
            after = self._after.get((client, currency), Sum()).report(currency)
            if before != after:
                rows.append(
                    {"client": client, "currency": currency, "before": before, "after": after}
                )
        return rows


def _add(sums: dict[tuple[str, str], Sum], charges: Iterable[Charge]) -> None:
    for charge in (each for each in charges if each.payable is None):
        sums.setdefault((charge.client, charge.currency), Sum()).add(charge)


def _keys(change: ChargeSetChanged) -> set[str]:
    return {reason.waits_for for reason in change.reasons if reason.waits_for}


def _change(before: ChargeSetChanged, after: ChargeSetChanged) -> dict[str, Any]:
    return {
        "record_id": before.record_id,
        "before": [charge.model_dump(mode="json", exclude_none=True) for charge in before.charges],
        "after": [charge.model_dump(mode="json", exclude_none=True) for charge in after.charges],
    }


def _sample(before: ChargeSetChanged, after: ChargeSetChanged) -> dict[str, Any]:
    return {
        "record_id": before.record_id,
        "client": after.client,
        "work_date": None if after.work_date is None else after.work_date.isoformat(),
        "before": _words(before),
        "after": _words(after),
    }


def _words(change: ChargeSetChanged) -> str:
    details = [reason.detail for reason in change.reasons]
    for charge in change.charges:
        target = charge.item or charge.account
        price = charge.rate.amount if charge.rate else charge.amount
        details.append(
            f"{charge.customer.key} {charge.job.key if charge.job else '-'} "
            f"{target.key if target else '-'} {price if price is not None else 'flat fee'}"
        )
    return f"{change.outcome.value}: {'; '.join(details)}"
