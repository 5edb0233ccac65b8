"""What a TimeTagger connection is told: whose time it is, where, and what tags mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.zones import zone_of


def _known_zone(name: str) -> str:
    if zone_of(name) is None:
        raise ValueError(f"{name!r} is no IANA time zone")
    return name


def _tag(text: str) -> str:
    return text.strip().lstrip("#").lower()


Tag = Annotated[str, AfterValidator(_tag)]


class TagMeaning(BaseModel):
    """What one tag stands for, said outright."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client: str | None = None
    project: str | None = None
    task: str | None = None


class TimeTaggerSettings(BaseModel):
    """Settings of one person's TimeTagger account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    staff_id: str = Field(min_length=1, max_length=255)
    """Whose records they are: an account is one person's."""
    staff_name: str | None = None
    zone: Annotated[str, AfterValidator(_known_zone)]
    """Where the person works: TimeTagger stores instants only, a work date is a local one."""
    tags: dict[Tag, TagMeaning] = Field(default_factory=dict)
    """Tags with a meaning of their own; they go before the conventions below."""
    client_prefix: str = "client-"
    """``#client-acme`` names the client acme; empty: no such convention."""
    project_prefix: str = "project-"
    task_prefix: str = "task-"
    slash: bool = True
    """``#acme/website`` names the client acme and its project acme/website; a third part a task."""
    non_billable: tuple[Tag, ...] = ("nonbillable", "internal")
    billable: tuple[Tag, ...] = ("billable",)
    default_state: Literal["billable", "non_billable", "unknown"] = "unknown"
    """Of records with neither kind of tag."""
    approval: Literal["not_required", "unknown"] = "unknown"
    """TimeTagger knows no approval."""


def timetagger_settings(settings: Mapping[str, Any]) -> TimeTaggerSettings:
    """Return the settings of a connection; raises ConfigurationInvalid naming the first wrong."""
    try:
        return TimeTaggerSettings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationInvalid(f"TimeTagger setting {name}: {first['msg']}") from None
