"""The measurements, in the order in which they run, and what each of them promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import latency, mapping, scale, throughput
from benchmarks.children import ChildFailed
from benchmarks.contenders.base import Contender, TookTooLong
from benchmarks.contenders.floor import Floor
from benchmarks.contenders.hourbridge import Billed, Hourbridge
from benchmarks.contenders.peer_runner import Peer
from benchmarks.memory import MemoryWatch
from benchmarks.report import Finding, Promise, Report
from benchmarks.servers import Room, Servers
from benchmarks.sizes import measure_sizes
from benchmarks.throughput import Throughput
from benchmarks.workload import TYPICAL_SIZES, Sizes

FLOOR_SHARE_MIN = 0.6
PEER_FACTOR_MIN = 5
P50_MS = 25
P99_MS = 100
RESIDENT_MIB = 150
SCALE_RATIO_MAX = 1.2
MAPPING_MICROSECONDS = 60

Progress = Callable[[str], None]


class Part(StrEnum):
    """A part of the suite that can be run alone."""

    MAPPING = "mapping"
    FLOOR = "floor"
    PEER = "peer"
    OURS = "ours"
    LATENCY = "latency"
    MEMORY = "memory"
    SCALE = "scale"


@dataclass(frozen=True)
class Plan:
    """What to run, and how much of it."""

    parts: frozenset[Part]
    rounds: int = 3
    records: int = 20_000
    peer_records: int = 2_000
    latency_seconds: float = 25
    memory_records: int = 200_000
    large_rows: int = 10_000_000
    scale_loads: int = 3
    profiles: Path | None = None
    """Where to write what the services' threads spend their time on; distorts the numbers."""

    @property
    def needs_servers(self) -> bool:
        """Return whether anything is measured that needs a broker and a database."""
        return self.parts != {Part.MAPPING}


class Suite:
    """Runs a plan on one pair of servers and fills the report."""

    def __init__(self, servers: Servers | None, plan: Plan, progress: Progress) -> None:
        self._given = servers
        self._plan = plan
        self._progress = progress
        self._sizes = TYPICAL_SIZES
        self._rates: dict[str, list[float]] = {}
        self.report = Report()

    @property
    def _servers(self) -> Servers:
        assert self._given is not None, "this part needs servers"
        return self._given

    def run(self) -> Report:
        """Run every part of the plan."""
        parts = self._plan.parts
        if Part.MAPPING in parts:
            self._mapping()
        if Part.LATENCY in parts:
            self._latency()
        self._throughput()
        if Part.MEMORY in parts:
            self._memory()
        if Part.SCALE in parts:
            self._scale()
        return self.report

    def _mapping(self) -> None:
        self._progress(f"mapping: {mapping.RECORDS} records at default policies")
        found = mapping.measure()
        name, limit = "mapping, processor time per record", MAPPING_MICROSECONDS
        self.report.add(
            promises=[Promise(name, found.best, "below", limit, "us")],
            findings=[Finding("mapping, median round", found.median, "us")],
            details={"mapping": asdict(found)},
        )

    @contextmanager
    def _ours(self) -> Iterator[Hourbridge]:
        with self._servers.room() as room:
            contender = Hourbridge(room, profiles=self._plan.profiles)
            with stopping(contender):
                contender.start()
                contender.configure()
                yield contender

    def _latency(self) -> None:
        self._progress(f"latency: {latency.RATE_PER_SECOND} records/s")
        with self._ours() as contender:
            self._sizes = measure_sizes(contender)
            found = latency.measure(contender, seconds=self._plan.latency_seconds)
        self.report.add(
            promises=[
                Promise("latency p50, intake to charge", found.p50, "below", P50_MS, "ms"),
                Promise("latency p99, intake to charge", found.p99, "below", P99_MS, "ms"),
            ],
            findings=[Finding("latency p90", found.p90, "ms"), Finding("max", found.max, "ms")],
            details={"latency": asdict(found), "body_bytes": asdict(self._sizes)},
        )

    def _throughput(self) -> None:
        """Take turns, so that a busy minute of the machine hits all contenders alike."""
        for number in range(self._plan.rounds):
            for part in (Part.FLOOR, Part.PEER, Part.OURS):
                if part in self._plan.parts:
                    self._progress(f"throughput: {part}, round {number + 1}")
                    self._round(part, f"{part}{number}")
        for name, rates in self._rates.items():
            finding = Finding(f"throughput of {name}", median(rates), "records/s")
            self.report.add(findings=[finding], details={f"{name} rounds": rates})
        self._ratio("ours to documents / floor", "floor", FLOOR_SHARE_MIN)
        self._ratio("ours to documents / peer", "peer", PEER_FACTOR_MIN)

    def _ratio(self, name: str, other: str, limit: float) -> None:
        ours, others = self._rates.get("ours to documents"), self._rates.get(other)
        if ours and others:
            value = median(ours) / median(others)
            self.report.add(promises=[Promise(name, value, "at least", limit)])

    def _round(self, part: Part, run: str) -> None:
        if part is Part.OURS:
            with self._ours() as contender:
                self._note("ours", self._measure(contender, run))
                self._note_documents(contender.bill())
            return
        with self._servers.room() as room, stopping(make(part, room, self._sizes)) as contender:
            self._note(part.value, self._measure(contender, run))

    def _measure(self, contender: Contender, run: str) -> Throughput:
        is_peer = contender.dialect == "peer"
        records = self._plan.peer_records if is_peer else self._plan.records
        return throughput.measure(contender, run=run, records=records)

    def _note(self, name: str, found: Throughput) -> None:
        self._rates.setdefault(name, []).append(found.per_second)
        used = found.processor_microseconds
        self.report.add(details={f"{name}, processor microseconds per record": used})
        self._progress(f"  {found.per_second:,.0f} records/s, processor us per record: {used}")

    def _note_documents(self, billed: Billed) -> None:
        flowed_seconds = self._plan.records / self._rates["ours"][-1]
        rate = self._plan.records / (flowed_seconds + billed.seconds)
        self._rates.setdefault("ours to documents", []).append(rate)
        self._progress(
            f"  {billed.documents} documents in {billed.seconds:.2f} s: {rate:,.0f} records/s"
        )

    def _memory(self) -> None:
        records = self._plan.memory_records
        self._progress(f"memory: {records:,} records")
        with self._ours() as contender:
            throughput.run_load(contender, run="warm", records=throughput.WARM_UP_RECORDS)
            with MemoryWatch(contender.services) as watch:
                throughput.run_load(contender, run="memory", records=records)
        for name, curve in watch.curves.items():
            self.report.add(
                promises=[
                    Promise(f"resident, {name}", curve.max_mebibytes, "below", RESIDENT_MIB, "MiB")
                ],
                findings=[Finding(f"growth in 2nd half, {name}", curve.growth_mebibytes, "MiB")],
            )

    def _scale(self) -> None:
        plan = self._plan
        self._progress(f"scale: {plan.large_rows:,} rows")
        found = scale.measure(
            self._servers,
            large_rows=plan.large_rows,
            records=min(plan.records, 10_000),
            loads=plan.scale_loads,
        )
        name = f"cost per record, {plan.large_rows:,} stored / {scale.SMALL_ROWS:,}"
        self.report.add(
            promises=[Promise(name, found.ratio, "at most", SCALE_RATIO_MAX)],
            findings=[Finding("processor time per record, large / small", found.processor_ratio)],
            details={"scale": asdict(found)},
        )


def make(part: Part, room: Room, sizes: Sizes) -> Contender:
    """Return a running floor or peer."""
    return Floor(room, sizes) if part is Part.FLOOR else Peer(room, sizes)


@contextmanager
def stopping(contender: Any) -> Iterator[Any]:
    """Stop a contender at the end; show the end of its logs when it failed."""
    try:
        yield contender
    except (ChildFailed, TookTooLong) as error:
        logs = "\n".join(f"--- {child.name}\n{child.log_tail()}" for child in contender.services)
        raise type(error)(f"{error}\n{logs}") from error
    finally:
        contender.stop()
