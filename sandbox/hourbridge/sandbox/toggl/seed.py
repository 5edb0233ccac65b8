"""Ready-made workspaces, from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.sandbox.toggl.world import World


def seed_workspace(world: World, seed: Mapping[str, Any]) -> dict[str, Any]:
    """Open a workspace and return its id, its people's tokens and its projects' ids.

    ``{"name": "Acme", "people": {"Ada Byron": "Europe/Vienna"}, "clients": {"Globex": ["Site"]},
    "currency": "EUR"}``; the caller holds the world's lock.
    """
    workspace_id = world.open_workspace(
        str(seed.get("name", "Workspace")), str(seed.get("currency", "USD"))
    )
    people = {
        name: world.open_user(workspace_id, name, zone)
        for name, zone in dict(seed.get("people", {"Ada Byron": "UTC"})).items()
    }
    projects: dict[str, int] = {}
    for client, names in dict(seed.get("clients", {})).items():
        client_id = world.create(workspace_id, "client", {"name": client, "archived": False})["id"]
        for name in names:
            values = {"name": name, "client_id": client_id, "active": True, "billable": True}
            projects[name] = world.create(workspace_id, "project", values)["id"]
    return {
        "workspace_id": workspace_id,
        "people": {
            name: {"id": identity, "token": token} for name, (identity, token) in people.items()
        },
        "projects": projects,
    }
