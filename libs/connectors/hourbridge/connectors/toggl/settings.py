"""What a Toggl connection is told beside its workspace and its secrets."""

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


ZoneName = Annotated[str, AfterValidator(_known_zone)]


class TogglSettings(BaseModel):
    """Settings of one workspace. Entries carry no zone: which day one belongs to is said here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: ZoneName = "UTC"
    """The firm's zone: whoever is not named in ``zones`` works there."""
    zones: dict[str, ZoneName] = Field(default_factory=dict)
    """The zones of people who work elsewhere, by user id."""
    approval: Literal["not_required", "unknown"] = "unknown"
    """What an entry's approval is taken to be: Toggl approves whole timesheets, elsewhere."""

    def zone_of_user(self, user_id: str | None) -> tuple[str, str]:
        """Return a person's zone and how sure that is."""
        own = self.zones.get(user_id or "")
        return (own, "profile") if own is not None else (self.zone, "firm")


def toggl_settings(settings: Mapping[str, Any]) -> TogglSettings:
    """Return the settings of a connection; raises ConfigurationInvalid naming the first wrong."""
    try:
        return TogglSettings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationInvalid(f"Toggl setting {name}: {first['msg']}") from None
