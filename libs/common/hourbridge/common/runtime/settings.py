"""Settings from the environment; every service's settings extend these."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

EMBEDDED = "embedded:"
"""As broker or database URL: run it inside this process; starts empty each time."""


class CommonSettings(BaseSettings):
    """What every service can be told. Names in the environment start with ``HOURBRIDGE_``."""

    model_config = SettingsConfigDict(env_prefix="HOURBRIDGE_", extra="ignore", frozen=True)

    broker_url: str = Field(EMBEDDED, description="AMQP URL of RabbitMQ, or `embedded:`.")
    broker_management_url: str | None = Field(
        None, description="HTTP URL of RabbitMQ's management API; lets readiness check bindings."
    )
    database_url: str = Field(
        EMBEDDED, description="PostgreSQL URL of a role that may SET ROLE to the service's role."
    )
    database_pool_size: int = Field(5, ge=1, le=50, description="Pooled connections per service.")
    http_host: str = Field("127.0.0.1", description="Address that the HTTP server binds.")
    http_port: int = Field(0, ge=0, le=65535, description="Port of the HTTP server; 0 = any free.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )
    log_format: Literal["json", "console"] = Field("json", description="How log lines look.")
    retry_delays_seconds: tuple[int, ...] = Field(
        (5, 30, 120, 600), description="Delay rungs of the retry ladder, shortest first (JSON)."
    )
    retry_attempts_max: int = Field(
        8, ge=1, le=100, description="Handling attempts before a message is dead."
    )
    admin_tokens: dict[str, str] = Field(
        default_factory=dict,
        description="Bearer tokens of the admin API: JSON object of token to `actor:role`; "
        "roles: viewer, operator, administrator.",
    )
    encryption_keys: tuple[SecretStr, ...] = Field(
        (), description="Fernet keys for secrets at rest (JSON array); the first one encrypts."
    )
    shutdown_grace_seconds: int = Field(
        25, ge=1, le=600, description="How long a stop may take; less than Kubernetes' grace."
    )
    batch_messages_max: int = Field(
        500, ge=1, le=5000, description="Most messages that one transaction handles."
    )
    prefetch: int = Field(1000, ge=1, le=2000, description="Unacknowledged messages per lane.")
    zoneinfo_path: Path | None = Field(
        None,
        description="Directory of compiled time zone rules (zic) to use instead of the packaged "
        "ones; its file `+VERSION` or `tzdata.zi` names their version.",
    )
    inbox_retention_days: int = Field(14, ge=1, le=400, description="How long inbox rows are kept.")
