"""Write the dashboards and the Prometheus operator's alert rules."""

from __future__ import annotations

from tools.dashboards.generate import DIRECTORY, generated
from tools.dashboards.rules import RESOURCE, prometheus_rule

DIRECTORY.mkdir(parents=True, exist_ok=True)
for name, text in generated().items():
    (DIRECTORY / name).write_text(text)
RESOURCE.write_text(prometheus_rule())
