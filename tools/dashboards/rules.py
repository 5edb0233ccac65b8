"""The alert rules as the Prometheus operator takes them: the same file under another hood."""

from __future__ import annotations

from pathlib import Path

import yaml

DIRECTORY = Path(__file__).parents[2] / "deploy/prometheus"
SOURCE = DIRECTORY / "hourbridge.rules.yml"
RESOURCE = DIRECTORY / "prometheus-rule.yaml"


def prometheus_rule() -> str:
    """Return the PrometheusRule resource of the checked-in rules."""
    resource = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "hourbridge"},
        "spec": yaml.safe_load(SOURCE.read_text()),
    }
    return (
        "# Generated from hourbridge.rules.yml by `make dashboards`; do not edit.\n"
        + yaml.safe_dump(resource, sort_keys=False, width=120)
    )
