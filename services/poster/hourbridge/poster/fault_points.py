"""The places where a test can kill or disturb the poster."""

from __future__ import annotations

from hourbridge.common.faults import declare

CHARGE_SETS_STORED = declare(
    "poster.charge_sets_stored", "a batch of charge sets was written, not yet committed"
)
DOCUMENTS_ASSEMBLED = declare(
    "poster.documents_assembled", "documents and intents were written, not yet committed"
)
DOCUMENTS_COMMITTED = declare(
    "poster.documents_committed", "documents and intents are committed, not yet announced"
)
CORRECTION_ASSEMBLED = declare(
    "poster.correction_assembled", "a correction was written, not yet committed"
)
OPERATION_TAKEN = declare(
    "poster.operation_taken", "a ledger operation is marked as sending, nothing was sent"
)
LEDGER_SEARCHED = declare(
    "poster.ledger_searched", "the ledger was searched after an unknown outcome"
)
LEDGER_WRITTEN = declare(
    "poster.ledger_written", "the ledger has taken a write, its answer is not stored"
)
OUTCOME_STORED = declare("poster.outcome_stored", "an outcome was written, not yet committed")
OUTCOME_COMMITTED = declare(
    "poster.outcome_committed", "an outcome is committed, not yet announced"
)
PAYMENT_ASSEMBLED = declare("poster.payment_assembled", "a payment was written, not yet committed")
REVALUATION_ENTERED = declare(
    "poster.revaluation_entered", "a revaluation was written, its reversal was not"
)
REVALUATION_COMMITTED = declare(
    "poster.revaluation_committed", "a revaluation and its reversal are committed"
)
RETAINER_MOVED = declare(
    "poster.retainer_moved", "movements of a retainer were written, not yet committed"
)
REVENUE_RECOGNIZED = declare(
    "poster.revenue_recognized", "recognition entries were written, not yet committed"
)
RUN_UNDONE = declare("poster.run_undone", "a document of a run was undone, not yet committed")
LIST_CHANGE_TAKEN = declare(
    "poster.list_change_taken", "a change of a list is marked as sending, nothing was sent"
)
LIST_WRITTEN = declare(
    "poster.list_written", "the system has taken a list entry, its answer is not stored"
)
LIST_OUTCOME_STORED = declare(
    "poster.list_outcome_stored", "the outcome of a list change was written, not yet committed"
)
LIST_OUTCOME_COMMITTED = declare(
    "poster.list_outcome_committed", "the outcome of a list change is committed, not yet announced"
)
