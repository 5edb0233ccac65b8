"""Processor time of mapping: from accepted records to the charge sets' JSON, nothing else."""

from __future__ import annotations

import gc
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.workload import BOOK, SOURCE, book_configuration, reported_event
from hourbridge.common.messages.records import TimeEntry
from hourbridge.mapper.document import read_configuration
from hourbridge.mapper.mapping import map_accepted
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.stored import StoredState

RECORDS = 1_000
_ROUNDS = 15
_ACCEPTED_AT = datetime(2026, 4, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class MappingCost:
    """What mapping a batch took, in microseconds of processor time per record."""

    best: float
    """Of all rounds: what the work itself costs, whatever else the machine does."""
    median: float


def measure(rounds: int = _ROUNDS) -> MappingCost:
    """Map a batch of records at all default policies again and again."""
    book = CompiledBook(read_configuration(book_configuration()), 1)
    batch = [_accepted(number) for number in range(RECORDS)]
    spent = sorted(_round(book, batch) for _ in range(rounds))
    microseconds = [seconds / RECORDS * 1e6 for seconds in spent]
    return MappingCost(microseconds[0], microseconds[len(microseconds) // 2])


def _round(book: CompiledBook, batch: list[StoredState]) -> float:
    gc.collect()
    before = time.process_time()
    for state in batch:
        mapped = map_accepted(BOOK, book, state, covers=(state.sequence,))
        assert mapped.change_json
    return time.process_time() - before


def _accepted(number: int) -> StoredState:
    entry = TimeEntry.model_validate(json.loads(reported_event(number))["data"])
    return StoredState(
        record_id=f"record-{number}",
        record_type=entry.record_type,
        source=SOURCE,
        revision=1,
        sequence=number + 1,
        accepted_at=_ACCEPTED_AT,
        state=entry,
    )
