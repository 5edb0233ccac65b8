"""What a record costs when much is stored, against what it costs when little is."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks import history, throughput
from benchmarks.contenders.hourbridge import Hourbridge
from benchmarks.servers import Servers

SMALL_ROWS = 10_000


@dataclass(frozen=True)
class Scale:
    """Seconds per record, medians of several loads."""

    small_seconds: float
    large_seconds: float

    @property
    def ratio(self) -> float:
        """Return how much dearer a record is with much stored."""
        return self.large_seconds / self.small_seconds


def measure(servers: Servers, *, large_rows: int, records: int, loads: int) -> Scale:
    """Measure with ``SMALL_ROWS`` really processed records stored, then with ``large_rows``."""
    with servers.room() as room:
        contender = Hourbridge(room)
        try:
            contender.start()
            contender.configure()
            throughput.run_load(contender, run="seed", records=SMALL_ROWS)
            small = _cost(contender, "small", records, loads)
            contender.stop_services()
            history.load(contender.engine, large_rows)
            contender.start()
            large = _cost(contender, "large", records, loads)
        finally:
            contender.stop()
    return Scale(small, large)


def _cost(contender: Hourbridge, label: str, records: int, loads: int) -> float:
    taken = [
        throughput.measure(contender, run=f"{label}{number}", records=records).to_all_seconds
        for number in range(loads)
    ]
    return median(taken) / records
