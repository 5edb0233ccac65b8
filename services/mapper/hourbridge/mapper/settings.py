"""The mapper's settings."""

from __future__ import annotations

from pydantic import Field

from hourbridge.common.runtime.settings import CommonSettings


class MapperSettings(CommonSettings):
    """What the mapper can be told. Names in the environment start with ``HOURBRIDGE_``."""

    http_port: int = Field(
        8082, ge=0, le=65535, description="Port of the HTTP server; 0 = any free."
    )
    mapper_mapping_actors: tuple[str, ...] = Field(
        (),
        description="Actors who may apply book configurations besides administrators (JSON array).",
    )
    mapper_remap_batch_records: int = Field(
        500, ge=1, le=5000, description="Most records that one transaction maps again."
    )
    mapper_remap_interval_seconds: float = Field(
        1.0, gt=0, le=60, description="How often open re-mappings and new facts are looked for."
    )
    mapper_parked_interval_seconds: float = Field(
        15.0, gt=0, le=3600, description="How often parked records are counted for the metrics."
    )
    mapper_lists_interval_seconds: float = Field(
        5.0,
        gt=0,
        le=3600,
        description="How often changed lists are looked for; what arrives is planned at once.",
    )
    mapper_plan_records_max: int = Field(
        200_000, ge=1, description="Most stored records that a plan maps again to show its effect."
    )
    mapper_ledger_check: bool = Field(
        True, description="Check configurations against the ledger when it is connected."
    )
