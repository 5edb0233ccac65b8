"""Old readers with new messages, new readers with old messages, and upcasters between majors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import create_model

from hourbridge.common.errors import MessageInvalid, MessageTypeUnknown
from hourbridge.common.messages.envelope import Event
from hourbridge.common.messages.examples import Style, example
from hourbridge.common.messages.fields import Payload
from hourbridge.common.messages.registry import REGISTRY, Registered, Registry


def older(model: type[Payload]) -> type[Payload]:
    """Return the model as an earlier minor version had it: without its last optional field."""
    optional = [name for name, field in model.model_fields.items() if not field.is_required()]
    kept: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in model.model_fields.items()
        if name not in optional[-1:]
    }
    return create_model(f"Older{model.__name__}", __base__=Payload, **kept)


@pytest.mark.parametrize("registered", list(REGISTRY), ids=lambda registered: registered.type)
def test_the_release_before_reads_messages_with_new_fields(registered: Registered) -> None:
    body = json.dumps(example(registered, Style.FULL)).encode()
    model = older(registered.payload)
    event: Any = Event[model].model_validate_json(body)  # type: ignore[valid-type]
    assert set(model.model_fields) <= set(registered.payload.model_fields)
    for name in model.model_fields:
        assert getattr(event.data, name) is not None


class V2(Payload):
    name: str
    hours: int


def registry_with_old_type() -> Registry:
    def to_v2(data: dict[str, Any]) -> dict[str, Any]:
        return {"name": data["title"], "hours": int(data["minutes"]) // 60}

    def to_v1(data: dict[str, Any]) -> dict[str, Any]:
        return {"title": data["t"].strip(), "minutes": data["m"]}

    registry = Registry()
    registry.register(
        "hourbridge.thing.changed.v2", V2, summary="A thing.", publisher="mapper", exchange="x"
    )
    registry.register_upcaster("hourbridge.thing.changed.v1", "hourbridge.thing.changed.v2", to_v2)
    registry.register_upcaster("hourbridge.thing.drafted.v1", "hourbridge.thing.changed.v1", to_v1)
    return registry


def body_of(message_type: str, data: Any) -> bytes:
    envelope = {"specversion": "1.0", "id": "1", "source": "urn:x", "book": "acme"}
    return json.dumps({**envelope, "type": message_type, "data": data}).encode()


def test_an_older_major_is_read_through_its_upcaster() -> None:
    body = body_of("hourbridge.thing.changed.v1", {"title": "Audit", "minutes": 120})
    event = registry_with_old_type().decode("hourbridge.thing.changed.v1", body)
    assert event.type == "hourbridge.thing.changed.v2"
    assert event.data == V2(name="Audit", hours=2)


def test_upcasters_chain() -> None:
    body = body_of("hourbridge.thing.drafted.v1", {"t": " Audit ", "m": 60})
    event = registry_with_old_type().decode("hourbridge.thing.drafted.v1", body)
    assert event.data == V2(name="Audit", hours=1)


@pytest.mark.parametrize("data", [{}, {"title": "Audit"}, {"title": 1, "minutes": "x"}, [], "x", 5])
def test_what_cannot_be_upcast_is_invalid_never_a_defect(data: Any) -> None:
    with pytest.raises(MessageInvalid):
        registry_with_old_type().decode(
            "hourbridge.thing.changed.v1", body_of("hourbridge.thing.changed.v1", data)
        )


def test_an_upcaster_meets_a_list_where_it_expects_text() -> None:
    body = body_of("hourbridge.thing.drafted.v1", {"t": ["Audit"], "m": 60})
    with pytest.raises(MessageInvalid):
        registry_with_old_type().decode("hourbridge.thing.drafted.v1", body)


def test_a_type_nobody_registered_is_a_deployment_error() -> None:
    registry = registry_with_old_type()
    assert not registry.readable("hourbridge.thing.changed.v3")
    with pytest.raises(MessageTypeUnknown):
        registry.decode("hourbridge.thing.changed.v3", b"{}")


def test_current_and_upcast_types_are_readable() -> None:
    registry = registry_with_old_type()
    assert registry.readable("hourbridge.thing.changed.v1")
    assert registry.readable("hourbridge.thing.changed.v2")


def test_the_files_of_this_test_name_no_registered_type() -> None:
    """The made-up types stay made up: a real one would make these tests mean something else."""
    assert "hourbridge.thing" not in Path(REGISTRY.get.__code__.co_filename).read_text()
