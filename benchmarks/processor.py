"""Processor time by process: what a record costs, whatever else the machine is busy with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import psutil

from benchmarks.children import Child

_SERVERS = {"postgres": "PostgreSQL", "beam.smp": "RabbitMQ"}


def snapshot(services: Sequence[Child]) -> Counter[str]:
    """Return the processor seconds used so far by services, PostgreSQL and RabbitMQ."""
    names = {child.process.pid: child.name for child in services}
    used: Counter[str] = Counter()
    for process in psutil.Process().children(recursive=True):
        try:
            label = names.get(process.pid) or _SERVERS.get(process.name())
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        if label is not None:
            used[label] += times.user + times.system
    return used


def microseconds_per_record(
    before: Mapping[str, float], after: Mapping[str, float], records: int
) -> dict[str, int]:
    """Return what each process used between two snapshots, by record, and the sum."""
    found = {
        name: round((seconds - before.get(name, 0)) / records * 1e6)
        for name, seconds in sorted(after.items())
    }
    return {**found, "all": sum(found.values())}
