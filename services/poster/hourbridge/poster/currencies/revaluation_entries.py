"""What a month's revaluation says in one ledger, as entries and for people; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hourbridge.billing.currencies.payments import reversed_postings
from hourbridge.billing.currencies.revaluation import (
    Revalued,
    content_key,
    gain_of,
    revaluation_postings,
    reversal_day,
)
from hourbridge.billing.grouping import ledger_key
from hourbridge.common.book import BookConfiguration, LedgerBinding
from hourbridge.common.money import decimal_text
from hourbridge.poster.currencies.revaluation_store import Asked, Standing
from hourbridge.poster.entries import Entry

PURPOSE = "revaluation"
REVERSAL = "revaluation_reversal"


@dataclass(frozen=True)
class LedgerRevaluation:
    """What a month's revaluation says in one ledger."""

    ledger: LedgerBinding
    revalued: tuple[Revalued, ...]

    @property
    def key(self) -> str:
        """Return the ledger's key."""
        return ledger_key(self.ledger)


def says_the_same(found: LedgerRevaluation, standing: Standing | None) -> bool:
    """Return whether what stands is what should be; without a former one: nothing to enter."""
    if standing is None:
        return not any(item.difference for item in found.revalued)
    return standing.content_key == content_key(found.revalued)


def revaluation_entry(
    run: Asked, configuration: BookConfiguration, found: LedgerRevaluation, generation: int
) -> Entry | None:
    """Return the entry of a revaluation, None where nothing changed its value."""
    postings = revaluation_postings(found.revalued)
    if not postings:
        return None
    return Entry(
        book=run.book,
        ledger=found.ledger,
        key=("revaluation", run.last_day.isoformat(), str(generation)),
        purpose=PURPOSE,
        document_date=run.last_day,
        currency=configuration.currency,
        postings=postings,
        memo=f"Revaluation of open balances at {run.last_day}",
        is_draft="journal_entry" in configuration.review.kinds,
    )


def reversal_entry(run: Asked, entry: Entry) -> Entry:
    """Return the entry that takes a revaluation back on the first day of the next month."""
    return Entry(
        book=entry.book,
        ledger=entry.ledger,
        key=(*entry.key, "reversal"),
        purpose=REVERSAL,
        document_date=reversal_day(run.last_day),
        currency=entry.currency,
        postings=reversed_postings(entry.postings),
        memo=f"Reversal of the revaluation at {run.last_day}",
        reverses_document_id=entry.document_id,
        is_draft=entry.is_draft,
    )


def shown(found: LedgerRevaluation, numbers: Mapping[str, str], generation: int) -> dict[str, Any]:
    """Return a revaluation for people: its entries' numbers, and every balance with its rate."""
    return {
        "ledger": found.key,
        **numbers,
        "generation": generation,
        "gain": decimal_text(gain_of(found.revalued)),
        "items": [_item(item) for item in found.revalued],
    }


def _item(item: Revalued) -> dict[str, Any]:
    balance = item.balance
    return {
        "kind": balance.kind,
        "document": balance.label,
        "client": balance.client,
        "currency": balance.currency,
        "amount": decimal_text(balance.amount),
        "carried": decimal_text(balance.carried_base),
        "rate": decimal_text(item.rate.value),
        "rate_id": item.rate.rate_id,
        "rate_date": item.rate.rate_date.isoformat(),
        "value": decimal_text(item.value_base),
        "difference": decimal_text(item.difference),
    }
