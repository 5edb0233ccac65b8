"""The mapper's metrics. Labels are bounded: outcomes and reason codes, never ids or names."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

RECORDS = Counter(
    "hourbridge_mapper_records_total", "Records mapped, by what became of them.", ["outcome"]
)
PARKED = Gauge(
    "hourbridge_mapper_parked_records",
    "Records that wait now, by the first reason's code.",
    ["code"],
)
REMAPPED = Counter(
    "hourbridge_mapper_remapped_total",
    "Stored records mapped again, by whether their charges changed.",
    ["changed"],
)
REMAP_OPEN = Gauge("hourbridge_mapper_remap_open_tasks", "Re-mappings that are not finished yet.")
CONFIGURATIONS_APPLIED = Counter(
    "hourbridge_mapper_configurations_total", "Versions of book configurations added.", ["cause"]
)
