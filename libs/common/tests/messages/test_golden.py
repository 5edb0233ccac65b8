"""Every golden example, of today and of every release, is read without loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hourbridge.common.messages.examples import Style
from hourbridge.common.messages.registry import REGISTRY
from hourbridge.common.messages.schemas import Role, schema_of

DOCS = Path(__file__).parents[4] / "docs"
TODAY = sorted((DOCS / "schemas").glob("hourbridge.*/examples/*.json"))
RELEASED = sorted((DOCS / "schemas" / "released").glob("*/*/examples/*.json"))


def name_of(path: Path) -> str:
    return str(path.relative_to(DOCS / "schemas"))


def type_of(path: Path) -> str:
    return path.parents[1].name


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield what of ``before`` is not in ``after``."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from lost(value, after[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{index}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


def test_every_type_has_every_example() -> None:
    expected = {(registered.type, style.value) for registered in REGISTRY for style in Style}
    assert {(type_of(path), path.stem) for path in TODAY} == expected


def test_there_is_a_released_version() -> None:
    assert RELEASED


@pytest.mark.parametrize("path", [*TODAY, *RELEASED], ids=name_of)
def test_read_and_written_again_without_loss(path: Path) -> None:
    event = REGISTRY.decode(type_of(path), path.read_bytes())
    written = event.to_json()
    assert list(lost(json.loads(path.read_bytes()), json.loads(written))) == []
    assert REGISTRY.decode(event.type, written) == event


@pytest.mark.parametrize("path", TODAY, ids=name_of)
def test_satisfies_the_published_schemas(path: Path) -> None:
    registered = REGISTRY.get(type_of(path))
    body = json.loads(path.read_bytes())
    written = json.loads(REGISTRY.decode(registered.type, path.read_bytes()).to_json())
    for role, document in ((Role.READER, body), (Role.WRITER, written), (Role.READER, written)):
        jsonschema.Draft202012Validator(schema_of(registered, role)).validate(document)


@pytest.mark.parametrize("path", [path for path in TODAY if path.stem == "full"], ids=name_of)
def test_full_example_leaves_no_field_out(path: Path) -> None:
    schema = REGISTRY.get(type_of(path)).event.model_json_schema()
    absent = set(_absent(json.loads(path.read_bytes()), schema, schema["$defs"]))
    # One of the two must be absent, by rule.
    assert absent <= {
        ".data.configuration.expenses[].account",
        ".data.configuration.posting.custom_fields[].value",
    }


def _absent(value: Any, schema: dict[str, Any], defs: dict[str, Any], path: str = "") -> Any:
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for element in value:
            yield from _absent(element, schema.get("items", {}), defs, f"{path}[]")
    for name, part in schema.get("properties", {}).items():
        if name in value:
            yield from _absent(value[name], part, defs, f"{path}.{name}")
        else:
            yield f"{path}.{name}"
