"""Where the command line finds the services."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from hourbridge.common.book import ZoneName
from hourbridge.common.book.local_time import LocaleName


class ClientSettings(BaseSettings):
    """How the command line reaches the services' admin HTTP."""

    model_config = SettingsConfigDict(env_prefix="HOURBRIDGE_", extra="ignore", frozen=True)

    ingestor_url: str = Field("http://127.0.0.1:8081", description="Base URL of the ingestor.")
    mapper_url: str = Field("http://127.0.0.1:8082", description="Base URL of the mapper.")
    poster_url: str = Field("http://127.0.0.1:8083", description="Base URL of the poster.")
    reconciler_url: str = Field("http://127.0.0.1:8084", description="Base URL of the reconciler.")
    admin_token: SecretStr = Field(
        SecretStr(""), description="Bearer token with which the command line speaks to services."
    )
    client_timeout_seconds: int = Field(
        120, ge=45, description="Longest wait for one answer; a reconciliation may take 40 s."
    )

    locale: LocaleName | None = Field(
        None, description="Locale in which tables show dates and numbers; default: ISO, as is."
    )
    zone: ZoneName = Field("UTC", description="IANA zone in which a set locale shows instants.")

    def url_of(self, service: str) -> str:
        """Return the base URL of a service."""
        return str(getattr(self, f"{service}_url")).rstrip("/")
