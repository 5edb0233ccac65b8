"""Filling firms: from a description, or with one of the ready-made data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hourbridge.sandbox.bigtime import people
from hourbridge.sandbox.bigtime.agency import fill_agency
from hourbridge.sandbox.bigtime.firm import SHAPES, ApiKey, Firm, User
from hourbridge.sandbox.bigtime.studio import fill_studio
from hourbridge.sandbox.bigtime.volume import fill_volume
from hourbridge.sandbox.bigtime.world import World

DATASETS: dict[str, Callable[..., None]] = {
    "agency": fill_agency,
    "studio": fill_studio,
    "volume": fill_volume,
}
_KNOWN = {
    "realm",
    "name",
    "currency",
    "zone",
    "dataset",
    "options",
    "settings",
    "users",
    "keys",
    "tables",
    "actions",
}


def seed_firm(world: World, body: Mapping[str, Any]) -> Firm:
    """Open a firm as described and return it; raises ValueError for unknown names.

    ``dataset`` is agency, studio or volume, with ``options``; ``tables`` maps a list's name to
    records; ``actions`` are pairs of what people do (``people.py``), done in order.
    """
    unknown = set(body) - _KNOWN
    realm = body.get("realm")
    if unknown or not isinstance(realm, str):
        raise ValueError(f"needs realm; unknown: {sorted(unknown)}; known: {sorted(_KNOWN)}")
    dataset = body.get("dataset")
    if dataset is not None and dataset not in DATASETS:
        raise ValueError(f"dataset is one of {', '.join(DATASETS)}")
    with world.lock:
        firm = world.open_firm(realm, body.get("name") or realm, body.get("currency", "USD"))
        firm.zone = body.get("zone", firm.zone)
        firm.settings.change(dict(body.get("settings", {})))
        if dataset is not None:
            DATASETS[dataset](firm, **body.get("options", {}))
        firm.users += [User(**user) for user in body.get("users", [])]
        firm.keys += [ApiKey(**key) for key in body.get("keys", [])]
        for table, rows in body.get("tables", {}).items():
            for row in rows:
                firm.save(table, 0, SHAPES[table].changes(row))
        for action, what in body.get("actions", []):
            people.act(firm, action, what)
        return firm
