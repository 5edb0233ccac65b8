"""The AsyncAPI 3 document: who sends which message where, and who receives it."""

from __future__ import annotations

from typing import Any

import yaml

from hourbridge.common.bus.topology import (
    INTAKE_SUBSCRIPTIONS,
    QUEUES,
    SUBSCRIPTIONS,
    ServiceQueues,
)
from hourbridge.common.messages.envelope import CONTENT_TYPE
from hourbridge.common.messages.registry import (
    BULK_EXCHANGE,
    EVENTS_EXCHANGE,
    INTAKE_EXCHANGE,
    REJECTED_EXCHANGE,
    Registered,
    Registry,
)

_BINDING = "0.3.0"


def receivers(message_type: str) -> list[str]:
    """Return the services that subscribe to a type, in the order of the flow."""
    found = [service for service, types in SUBSCRIPTIONS.items() if message_type in types]
    return ["ingestor", *found] if message_type in INTAKE_SUBSCRIPTIONS else found


def document(registry: Registry) -> dict[str, Any]:
    """Return the whole document as data."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for registered in registry:
        for exchange, lane in _exchanges(registered):
            name = f"{lane}.{registered.routing_key}"
            channels[name] = _channel(registered, exchange)
            operations |= _operations(registered, name, lane)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Hourbridge",
            "version": "1",
            "description": "The messages of Hourbridge: what upstream systems send, what the "
            "services tell each other. Generated from the registry in code.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": {r.type: _message(r) for r in registry}},
    }


def text(registry: Registry) -> str:
    """Return the document as YAML."""
    return yaml.safe_dump(document(registry), sort_keys=False, allow_unicode=True, width=100)


def _exchanges(registered: Registered) -> list[tuple[str, str]]:
    lanes = [(registered.exchange, registered.exchange.removeprefix("hourbridge."))]
    if registered.exchange == EVENTS_EXCHANGE:
        lanes.append((BULK_EXCHANGE, "bulk"))
    return lanes


def _channel(registered: Registered, exchange: str) -> dict[str, Any]:
    by_source = exchange == REJECTED_EXCHANGE
    channel: dict[str, Any] = {
        "address": "{source}" if by_source else registered.routing_key,
        "description": registered.summary,
        "messages": {registered.type: {"$ref": f"#/components/messages/{registered.type}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {
                    "name": exchange,
                    "type": "topic",
                    "durable": True,
                    "autoDelete": False,
                    "vhost": "/",
                },
                "bindingVersion": _BINDING,
            }
        },
    }
    if by_source:
        channel["parameters"] = {"source": {"description": "The source whose event was refused."}}
    return channel


def _operations(registered: Registered, channel: str, lane: str) -> dict[str, Any]:
    operations = {}
    if registered.publisher != "upstream":
        binding = {"deliveryMode": 2, "mandatory": registered.exchange == EVENTS_EXCHANGE}
        operations[f"{registered.publisher}.send.{channel}"] = _operation(
            "send", registered, channel, binding
        )
    for service in receivers(registered.type):
        operation = _operation("receive", registered, channel, {"ack": True})
        operation["description"] = f"Through the queue {_queue(QUEUES[service], lane)}."
        operations[f"{service}.receive.{channel}"] = operation
    return operations


def _queue(queues: ServiceQueues, lane: str) -> str:
    return queues.bulk if lane == "bulk" else queues.work


def _operation(
    action: str, registered: Registered, channel: str, binding: dict[str, Any]
) -> dict[str, Any]:
    pointer = f"#/channels/{channel}"
    return {
        "action": action,
        "channel": {"$ref": pointer},
        "messages": [{"$ref": f"{pointer}/messages/{registered.type}"}],
        "bindings": {"amqp": {**binding, "bindingVersion": _BINDING}},
    }


def _message(registered: Registered) -> dict[str, Any]:
    role = "reader" if registered.exchange == INTAKE_EXCHANGE else "writer"
    return {
        "name": registered.type,
        "summary": registered.summary,
        "contentType": CONTENT_TYPE,
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"../schemas/{registered.type}/{role}.schema.json"},
        },
        "bindings": {
            "amqp": {
                "contentEncoding": "utf-8",
                "messageType": registered.type,
                "bindingVersion": _BINDING,
            }
        },
    }
