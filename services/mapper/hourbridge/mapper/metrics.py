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
LIST_PLANS = Counter("hourbridge_mapper_list_plans_total", "Plans made of the lists of a book.")
LIST_CHANGES = Counter(
    "hourbridge_mapper_list_changes_total",
    "Changes of lists that were proposed or requested, by kind.",
    ["kind"],
)
