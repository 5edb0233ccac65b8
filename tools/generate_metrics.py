"""The page of all metrics, from the metric objects: ``docs/metrics.md``."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from tools import pages

PAGE = "metrics.md"
_ROOTS = ("libs/*", "services/*", "cli", "sandbox")


def text() -> str:
    """Return the page as Markdown."""
    lines = [
        pages.NOTICE,
        "# Metrics",
        "",
        "Every service serves these at `/metrics`, as far as they concern it. Labels have few",
        "values: services, lanes, outcomes, causes, books; never ids.",
        "",
        "| metric | kind | labels | meaning |",
        "| --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *sorted(set(_rows()))]) + "\n"


def _rows() -> Iterator[str]:
    for module in modules():
        for value in vars(importlib.import_module(module)).values():
            if isinstance(value, MetricWrapperBase):
                yield _row(value)


def modules() -> list[str]:
    """Return the names of the modules that define metrics."""
    found = []
    for root in (path for pattern in _ROOTS for path in pages.ROOT.glob(pattern)):
        for path in sorted((root / "hourbridge").rglob("*.py")):
            if "prometheus_client" in path.read_text(encoding="utf-8"):
                found.append(_module_name(path.relative_to(root)))
    return found


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _row(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    suffix = "_total" if family.type == "counter" else ""
    # prometheus_client keeps the label names to itself until a labelled child exists.
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)
    meaning = pages.cell(family.documentation)
    return f"| `{family.name}{suffix}` | {family.type} | {labels} | {meaning} |"


def names() -> set[str]:
    """Return every metric's name as its family gives it."""
    return {
        family.name
        for module in modules()
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, MetricWrapperBase)
        for family in value.describe()
    }


if __name__ == "__main__":
    pages.write(PAGE, text())
