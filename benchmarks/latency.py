"""How long a record takes from its publication at intake to the commit of its charge.

Records are published at a steady rate whatever the platform does. The end is the commit time that
PostgreSQL itself recorded for the poster's row (``track_commit_timestamp``), so that measuring
costs the run nothing and nothing that happens before the commit is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.contenders.hourbridge import Hourbridge
from benchmarks.throughput import run_load

RATE_PER_SECOND = 200
_WARM_UP_SECONDS = 3


@dataclass(frozen=True)
class Latency:
    """Percentiles in milliseconds."""

    records: int
    p50: float
    p90: float
    p99: float
    max: float
    late_ms: float
    """By how much the load itself fell behind its schedule at worst."""
    stages_p50: dict[str, float]
    """Median milliseconds from commit to commit; the first from publish to the record's commit."""


def measure(contender: Hourbridge, *, seconds: float) -> Latency:
    """Return the latencies of a steady load, its first seconds left out."""
    run = "lat"
    records = int(RATE_PER_SECOND * (seconds + _WARM_UP_SECONDS))
    done = run_load(contender, run=run, records=records, rate_per_second=RATE_PER_SECOND)
    committed = contender.committed_at(run)
    measured = range(RATE_PER_SECOND * _WARM_UP_SECONDS, records)
    taken = sorted((committed[number][-1] - done.times[number]) * 1000 for number in measured)
    stages = {
        name: median(
            (committed[number][stage] - (done.times[number], *committed[number])[stage]) * 1000
            for number in measured
        )
        for stage, name in enumerate(("ingestor", "mapper", "poster"))
    }
    cuts = quantiles(taken, n=100, method="inclusive")
    late_ms = float(str(done.report["late_seconds"])) * 1000
    return Latency(len(taken), cuts[49], cuts[89], cuts[98], taken[-1], late_ms, stages)
