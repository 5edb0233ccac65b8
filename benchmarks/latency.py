"""How long a record takes from its publication at intake to the commit of its charge.

Records are published at a steady rate whatever the platform does. The end is the commit time that
PostgreSQL itself recorded for the poster's row (``track_commit_timestamp``), so that measuring
costs the run nothing and nothing that happens before the commit is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import quantiles

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


def measure(contender: Hourbridge, *, seconds: float) -> Latency:
    """Return the latencies of a steady load, its first seconds left out."""
    run = "lat"
    records = int(RATE_PER_SECOND * (seconds + _WARM_UP_SECONDS))
    done = run_load(contender, run=run, records=records, rate_per_second=RATE_PER_SECOND)
    committed = contender.charges_committed_at(run)
    first = RATE_PER_SECOND * _WARM_UP_SECONDS
    taken = sorted(
        (committed[number] - done.times[number]) * 1000 for number in range(first, records)
    )
    cuts = quantiles(taken, n=100, method="inclusive")
    late_ms = float(str(done.report["late_seconds"])) * 1000
    return Latency(len(taken), cuts[49], cuts[89], cuts[98], taken[-1], late_ms)
