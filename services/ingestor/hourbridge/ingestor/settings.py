"""What the ingestor can be told, on top of the settings that all services share."""

from __future__ import annotations

from pydantic import Field

from hourbridge.common.runtime.settings import CommonSettings


class IngestorSettings(CommonSettings):
    """Settings of the ingestor."""

    http_port: int = Field(
        8081, ge=0, le=65535, description="Port of the HTTP server; 0 = any free."
    )
    intake_body_bytes_max: int = Field(
        4 * 1024 * 1024, ge=1024, description="Largest body of POST /v1/events; beyond it 413."
    )
    intake_events_max: int = Field(
        1000, ge=1, le=10_000, description="Most events in one batch of POST /v1/events."
    )
    intake_backlog_max: int = Field(
        20_000,
        ge=0,
        description="Messages waiting for mapper and poster beyond which each book is limited; "
        "0 = never.",
    )
    intake_book_events_per_second: int = Field(
        100,
        ge=1,
        description="Events per second that each replica then takes of one book; fewer as the "
        "backlog grows.",
    )
    intake_amqp_sources: tuple[str, ...] = Field(
        ("*/*",),
        description="Who may report over AMQP: JSON array of `book/source`, `book/*` or `*/*`.",
    )
    import_file_bytes_max: int = Field(
        64 * 1024 * 1024, ge=1024, description="Largest file of POST /v1/imports, as sent."
    )
    import_unpacked_bytes_max: int = Field(
        512 * 1024 * 1024, ge=1024, description="Largest size that a compressed file unpacks to."
    )
    payload_retention_days: int = Field(
        400, ge=1, le=4000, description="How long received payloads and event ids are kept."
    )
