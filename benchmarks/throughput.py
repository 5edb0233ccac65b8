"""Records per second through the whole flow, from the first publish to the last commit."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import processor
from benchmarks.children import Children
from benchmarks.contenders.base import Contender, Progress, await_stored
from benchmarks.load import Load, go, sent, start_load

WARM_UP_RECORDS = 500
_TIMEOUT_SECONDS = 900


@dataclass(frozen=True)
class Throughput:
    """What one run took. Rates count records, not messages (there are five of those to each)."""

    records: int
    to_poster_seconds: float
    """From the first publish until the poster had committed everything."""
    to_all_seconds: float
    """From the first publish until poster and reconciler had committed everything."""
    processor_microseconds: dict[str, int]
    """Processor time per record, by process."""

    @property
    def per_second(self) -> float:
        """Records per second until every service was done."""
        return self.records / self.to_all_seconds


def run_load(contender: Contender, *, run: str, records: int, rate_per_second: float = 0) -> Run:
    """Publish ``records`` entries and wait until all are stored at both ends of the flow."""
    loaders = Children()
    try:
        before = contender.stored()
        load = Load(contender.broker_url, contender.dialect, run, 0, records, rate_per_second)
        child = start_load(loaders, load)
        go(child)
        report = sent(child)
        wanted = Progress(before.poster + records, before.reconciler + 2 * records)
        await_stored(contender, wanted, _TIMEOUT_SECONDS)
    finally:
        loaders.stop()
    return Run(run, records, report["started"], report.get("times", []), report)


@dataclass(frozen=True)
class Run:
    """One finished load."""

    name: str
    records: int
    started: float
    times: list[float]
    """When each record was published, for steady loads."""
    report: dict[str, object]


def measure(contender: Contender, *, run: str, records: int) -> Throughput:
    """Warm the contender up, then measure one load."""
    run_load(contender, run=f"w{run}", records=WARM_UP_RECORDS)
    before = processor.snapshot(contender.services)
    done = run_load(contender, run=run, records=records)
    after = processor.snapshot(contender.services)
    finish = contender.finished_at(run)
    return Throughput(
        records=records,
        to_poster_seconds=finish.poster - done.started,
        to_all_seconds=max(finish.poster, finish.reconciler) - done.started,
        processor_microseconds=processor.microseconds_per_record(before, after, records),
    )
