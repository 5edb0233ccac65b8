"""The page of all settings, from the settings classes: ``docs/settings.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from hourbridge.cli.settings import ClientSettings
from hourbridge.common.runtime.settings import CommonSettings
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.mapper.settings import MapperSettings
from hourbridge.poster.settings import PosterSettings
from hourbridge.reconciler.settings import ReconcilerSettings
from tools import pages

PAGE = "settings.md"
SECTIONS: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("Every service", CommonSettings),
    ("Ingestor", IngestorSettings),
    ("Mapper", MapperSettings),
    ("Poster", PosterSettings),
    ("Reconciler", ReconcilerSettings),
    ("Command line", ClientSettings),
)
_LIMITS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_OTHERS = """\
## Beside the settings

| variable | meaning |
| --- | --- |
| `OTEL_EXPORTER_OTLP_ENDPOINT` | Where spans go (OTLP over HTTP); unset: nowhere. |
| `HOURBRIDGE_FAULTS` | Fault points to arm, for tests: `name=action[@nth]`, separated by commas. |
| `HOURBRIDGE_TEST_DATABASE_URL` | A PostgreSQL superuser; else tests start a server. |
| `HOURBRIDGE_TEST_BROKER_URL` | A RabbitMQ administrator; else tests start a node. |
| `HOURBRIDGE_TEST_BROKER_MANAGEMENT_URL` | That broker's management API; default: port 15672. |
"""


def text() -> str:
    """Return the page as Markdown."""
    lines = [
        pages.NOTICE,
        "# Settings",
        "",
        "Everything is set through environment variables. Lists and objects are written as JSON.",
        "A wrong value stops a service at its start, with the name of the setting.",
    ]
    for title, settings in SECTIONS:
        lines += ["", f"## {title}", "", "| variable | holds | default | meaning |"]
        lines += ["| --- | --- | --- | --- |", *_rows(settings)]
    return "\n".join(lines) + "\n\n" + _OTHERS


def _rows(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    schema = settings.model_json_schema()["properties"]
    for name, field in settings.model_fields.items():
        if settings is CommonSettings or _is_own(settings, name, field):
            variable = f"{prefix}{name}".upper()
            holds = _holds(schema[name], field)
            meaning = pages.cell(field.description or "")
            yield f"| `{variable}` | {holds} | {_default(field)} | {meaning} |"


def _is_own(settings: type[BaseSettings], name: str, field: FieldInfo) -> bool:
    """Return whether the class adds the setting or gives it another default."""
    common = CommonSettings.model_fields.get(name)
    return (
        common is None
        or not issubclass(settings, CommonSettings)
        or common.default != field.default
    )


def _holds(schema: dict[str, Any], field: FieldInfo) -> str:
    options = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    if "enum" in options[0]:
        return ", ".join(f"`{value}`" for value in options[0]["enum"])
    kind = {"array": "list", "object": "object", "string": "text", "boolean": "true or false"}
    holds = kind.get(options[0].get("type", ""), str(options[0].get("type", "")))
    limits = [
        f"{sign} {getattr(part, keyword)}"
        for part in field.metadata
        for keyword, sign in _LIMITS.items()
        if getattr(part, keyword, None) is not None
    ]
    return " ".join([holds, *limits])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default in (None, "", (), {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default, default=str)}`"


if __name__ == "__main__":
    pages.write(PAGE, text())
