"""What the ingestor can be told, on top of the settings that all services share."""

from __future__ import annotations

from pydantic import Field, SecretStr

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
    poll_tick_seconds: float = Field(
        1.0, ge=0.01, le=60, description="How often is looked for feeds that are due."
    )
    poll_threads_max: int = Field(
        8, ge=1, le=64, description="Connections read at once by each replica."
    )
    poll_lease_seconds: float = Field(
        30.0, ge=1, le=600, description="How long a dead replica keeps a connection to itself."
    )
    poll_slice_seconds: float = Field(
        5.0, ge=0, le=600, description="How long one connection is read before others get a turn."
    )
    webhook_body_bytes_max: int = Field(
        1024 * 1024, ge=1024, description="Largest delivery of a webhook; beyond it 413."
    )
    webhook_lock_seconds: float = Field(
        1.5,
        ge=0.05,
        le=2.5,
        description="How long a delivery waits for its book; then it is kept, answered, and acted "
        "on as soon as the book is free.",
    )
    webhook_quickbooks_online_verifier_tokens: tuple[SecretStr, ...] = Field(
        (),
        description="Verifier tokens of the QuickBooks Online apps whose webhooks are received "
        "(JSON array).",
    )
