"""The JSON of all dashboards, stable from run to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tools.dashboards.boards import BOARDS

DIRECTORY = Path(__file__).parents[2] / "deploy/grafana/dashboards"


def generated() -> dict[str, str]:
    """Return the JSON of each dashboard by file name."""
    return {f"{name}.json": _json(build()) for name, build in BOARDS.items()}


def _json(builder: Any) -> str:
    """Return a dashboard as JSON, with the ids that the builders leave out."""
    document = json.loads(JSONEncoder(sort_keys=True, indent=2).encode(builder.build()))
    for number, panel in enumerate(document["panels"], start=1):
        panel["id"] = number
        for letter, target in zip("ABCDEFGH", panel.get("targets", ()), strict=False):
            target["refId"] = letter
    return json.dumps(document, sort_keys=True, indent=2) + "\n"


def expressions() -> list[tuple[str, str]]:
    """Return every PromQL expression with the dashboard and panel that asks it."""
    found = []
    for name, text in generated().items():
        for panel in json.loads(text)["panels"]:
            for target in panel.get("targets", ()):
                found.append((f"{name}: {panel['title']}", target["expr"]))
    return found
