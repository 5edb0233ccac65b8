"""Batches: up to 30 operations in one call, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.quickbooks_online import operations
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.fault_catalogue import refusal_of
from hourbridge.sandbox.quickbooks_online.kinds import BY_NAME, Kind
from hourbridge.sandbox.quickbooks_online.query_language import parse
from hourbridge.sandbox.quickbooks_online.query_run import run
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    malformed,
    unsupported,
    wrong_length,
)
from hourbridge.sandbox.quickbooks_online.values import Entity
from hourbridge.sandbox.quickbooks_online.world import World

ITEMS_MAX = 30
REQUEST_ID_LIMIT = 36
ITEM_ID_LIMIT = 10
_OWN_NAMES = frozenset({"bId", "operation", "optionsData", "Query"})

LogEffect = Callable[[operations.Effect, str | None], None]
"""Told of what an item did, and under which operation key."""


@dataclass(frozen=True)
class Batch:
    """One batch of one company."""

    world: World
    company: Company
    request_id: str | None
    log: LogEffect

    def carry_out(self, body: Entity) -> dict[str, Any]:
        """Return the answer; refuses the whole for its form only, else each item by itself."""
        items = body.get("BatchItemRequest")
        if not isinstance(items, list) or not items:
            raise malformed("BatchItemRequest is missing")
        if not all(isinstance(i, dict) and isinstance(i.get("bId"), str) for i in items):
            raise malformed("An item has no bId")
        if len(items) > ITEMS_MAX:
            raise refusal_of("1040")
        if self.request_id is not None and len(self.request_id) > REQUEST_ID_LIMIT:
            raise wrong_length("requestid", REQUEST_ID_LIMIT, len(self.request_id))
        return {"BatchItemResponse": [self._item(item) for item in items]}

    def _item(self, item: Entity) -> Entity:
        realm = self.company.realm
        try:
            key = self._key(item["bId"])
            remembered = self.world.memory.recall(realm, key) if key else None
            if remembered is not None:
                found: Entity = loads(remembered)
                return found
            answer = {**self._outcome(item, key), "bId": item["bId"]}
        except Refusal as refusal:
            fault = refusal.body("")["Fault"]
            return {"Fault": fault, "bId": item["bId"]}
        if key is not None:
            self.world.memory.remember(realm, key, dumps(answer).encode())
        return answer

    def _key(self, item_id: str) -> str | None:
        """Return under what an item is remembered: both ids together."""
        if self.request_id is None:
            return None
        if len(item_id) > ITEM_ID_LIMIT:
            raise wrong_length("bId", ITEM_ID_LIMIT, len(item_id))
        return f"{self.request_id}\n{item_id}"

    def _outcome(self, item: Entity, key: str | None) -> Entity:
        if "Query" in item:
            return {"QueryResponse": run(self.company, parse(str(item["Query"])))}
        kind = _kind(item)
        forced = self.world.refusals.draw("batch_items", kind.resource, self.company.realm)
        if forced is not None:
            raise forced
        body = item[kind.name]
        if not isinstance(body, dict):
            raise malformed(f"{kind.name} is not an object")
        effect = self._effect(item, kind, body)
        self.log(effect, key)
        return {kind.name: effect.entity}

    def _effect(self, item: Entity, kind: Kind, body: Entity) -> operations.Effect:
        options = str(item.get("optionsData", "")).lower().split(",")
        operation = str(item.get("operation", "")).lower()
        paid_too = self.world.settings.void_paid_invoices
        if operation == "void" or (operation == "update" and "void" in options):
            return operations.void(self.company, kind, body, paid_too=paid_too)
        if operation == "delete":
            return operations.delete(self.company, kind, body)
        if operation not in ("create", "update"):
            raise unsupported(f"batch operation {operation!r}")
        if (operation == "update") != bool(body.get("Id")):
            raise malformed("An update needs an Id, a create takes none")
        return operations.save(self.company, kind, body, options)


def _kind(item: Entity) -> Kind:
    names = [name for name in item if name not in _OWN_NAMES]
    if len(names) != 1 or names[0] not in BY_NAME:
        raise unsupported(f"batch item of {', '.join(names) or 'nothing'}")
    return BY_NAME[names[0]]
