"""The published form of the registry: JSON Schemas, golden examples, AsyncAPI, the catalogue.

``export`` writes everything under a documentation directory; ``check`` says what there is stale,
and what would break a reader of a released version; ``freeze`` keeps a release's schemas and
examples for ever, so that later versions are checked against them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.json_schema import JsonSchemaMode

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.messages import asyncapi, catalogue
from hourbridge.common.messages.compatibility import difference
from hourbridge.common.messages.envelope import DATAREF, DATAREF_PATTERN
from hourbridge.common.messages.examples import Style, example
from hourbridge.common.messages.registry import EVENTS_EXCHANGE, REGISTRY, Registered, Registry

SCHEMA_DIRECTORY = Path("schemas")
RELEASED = SCHEMA_DIRECTORY / "released"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


_DATAREF = {
    "type": "string",
    "pattern": DATAREF_PATTERN,
    "description": "Where `data` is, if the body would exceed 256 KiB with it: the data's content "
    "address in the object store.",
}


class Role(StrEnum):
    """Whose schema it is: a writer promises more than a reader demands."""

    WRITER = "writer"
    READER = "reader"


def schema_of(registered: Registered, role: Role) -> dict[str, Any]:
    """Return the JSON Schema of the whole message body for one side."""
    mode: JsonSchemaMode = "serialization" if role is Role.WRITER else "validation"
    schema = registered.event.model_json_schema(mode=mode)
    properties = {**schema["properties"], "type": {"const": registered.type}}
    if registered.exchange == EVENTS_EXCHANGE:
        schema |= _by_value_or_by_reference(schema)
        properties[DATAREF] = _DATAREF
    head = {
        "$schema": _DIALECT,
        "$id": f"urn:hourbridge:schema:{registered.type}:{role}",
        "title": f"{registered.type} ({role})",
        "description": registered.summary,
    }
    return {**schema, **head, "properties": properties}


def _by_value_or_by_reference(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what lets ``dataref`` stand for ``data``: between services, never from outside."""
    return {
        "required": [name for name in schema["required"] if name != "data"],
        "oneOf": [{"required": ["data"]}, {"required": [DATAREF]}],
    }


@cache
def generated(registry: Registry = REGISTRY) -> Mapping[Path, str]:
    """Return every generated file by its path below the documentation directory."""
    files = {
        Path("asyncapi") / "asyncapi.yaml": asyncapi.text(registry),
        Path("messages.md"): catalogue.text(registry),
    }
    for registered in registry:
        folder = SCHEMA_DIRECTORY / registered.type
        for role in Role:
            files[folder / f"{role}.schema.json"] = _json(schema_of(registered, role))
        for style in Style:
            files[folder / "examples" / f"{style}.json"] = _json(example(registered, style))
    return files


def export(directory: Path) -> None:
    """Write every generated file below ``directory`` and remove those no longer generated."""
    files = generated()
    for stale in _present(directory) - set(files):
        (directory / stale).unlink()
    for path, content in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


def check(directory: Path) -> list[str]:
    """Return what is stale, and what breaks a reader or writer of a released version."""
    return [*stale(directory), *breaks(directory / RELEASED)]


def stale(directory: Path) -> list[str]:
    """Return which generated files differ from what the code says now."""
    files = generated()
    problems = [
        f"{path}: {'differs' if (directory / path).exists() else 'is missing'}; run `make schemas`"
        for path, content in files.items()
        if not _holds(directory / path, content)
    ]
    extra = sorted(_present(directory) - set(files))
    return problems + [f"{path}: is no longer generated; run `make schemas`" for path in extra]


def breaks(released: Path, registry: Registry = REGISTRY) -> list[str]:
    """Return what today's models would break, release by release, type by type."""
    problems: list[str] = []
    for release in sorted(path for path in released.glob("*") if path.is_dir()):
        for folder in sorted(release.iterdir()):
            found = _breaks_of_type(folder, registry)
            problems += [f"{release.name}: {folder.name}: {problem}" for problem in found]
    return problems


def _breaks_of_type(folder: Path, registry: Registry) -> list[str]:
    message_type = folder.name
    if not registry.readable(message_type):
        return ["is no longer readable: register an upcaster, or keep the type"]
    problems = []
    for path in sorted((folder / "examples").glob("*.json")):
        try:
            registry.decode(message_type, path.read_bytes())
        except HourbridgeError as error:
            problems.append(f"its example {path.name} is refused: {error} {error_reasons(error)}")
    if message_type in {registered.type for registered in registry}:
        registered = registry.get(message_type)
        old = {role: json.loads((folder / f"{role}.schema.json").read_bytes()) for role in Role}
        new = {role: schema_of(registered, role) for role in Role}
        changes = difference(
            old_writer=old[Role.WRITER],
            old_reader=old[Role.READER],
            new_writer=new[Role.WRITER],
            new_reader=new[Role.READER],
        )
        problems += [change.text for change in changes if change.is_breaking]
    return problems


def error_reasons(error: HourbridgeError) -> str:
    """Return the field-exact reasons of a refused message, if it has any."""
    return json.dumps(getattr(error, "reasons", []))


def freeze(directory: Path, version: str) -> Path:
    """Keep today's schemas and examples as those of release ``version``; never overwrites."""
    target = directory / RELEASED / version
    if target.exists():
        raise FileExistsError(f"{target} exists: a release's messages never change")
    for registered in REGISTRY:
        shutil.copytree(directory / SCHEMA_DIRECTORY / registered.type, target / registered.type)
    return target


def _present(directory: Path) -> set[Path]:
    found = {path.relative_to(directory) for path in (directory / "schemas").rglob("*.json")}
    return {path for path in found if not path.is_relative_to(RELEASED)}


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == content


def _json(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
