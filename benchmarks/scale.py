"""What a record costs when much is stored, against what it costs when little is."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks import history, throughput
from benchmarks.contenders.hourbridge import Hourbridge
from benchmarks.servers import Servers

SMALL_ROWS = 10_000


@dataclass(frozen=True)
class Cost:
    """What a record costs, medians of several loads."""

    seconds: float
    processor_microseconds: dict[str, float]


@dataclass(frozen=True)
class Scale:
    """The cost of a record with little and with much stored."""

    small: Cost
    large: Cost

    @property
    def ratio(self) -> float:
        """Return how much longer a record takes with much stored."""
        return self.large.seconds / self.small.seconds

    @property
    def processor_ratio(self) -> float:
        """Return how much more processor time a record takes with much stored."""
        return self.large.processor_microseconds["all"] / self.small.processor_microseconds["all"]


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


def _cost(contender: Hourbridge, label: str, records: int, loads: int) -> Cost:
    taken = [
        throughput.measure(contender, run=f"{label}{number}", records=records)
        for number in range(loads)
    ]
    used = [found.processor_microseconds for found in taken]
    return Cost(
        median(found.to_all_seconds for found in taken) / records,
        {name: median(each[name] for each in used) for name in used[0]},
    )
