"""Write the dashboards."""

from __future__ import annotations

from tools.dashboards.generate import DIRECTORY, generated

DIRECTORY.mkdir(parents=True, exist_ok=True)
for name, text in generated().items():
    (DIRECTORY / name).write_text(text)
