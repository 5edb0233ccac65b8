"""Settings of the poster."""

from __future__ import annotations

from pydantic import Field

from hourbridge.common.runtime.settings import CommonSettings


class PosterSettings(CommonSettings):
    """What the poster can be told, beside what every service can."""

    http_port: int = Field(
        8083, ge=0, le=65535, description="Port of the HTTP server; 0 = any free."
    )
    poster_tick_seconds: float = Field(
        0.5, gt=0, le=60, description="Pause between looks for work that nobody announced."
    )
    poster_automatic_interval_seconds: float = Field(
        2.0, gt=0, le=3600, description="Pause between looks for groups to bill automatically."
    )
    poster_automatic_quiet_seconds: float = Field(
        60.0,
        ge=0,
        description="How long a period's charges must be unchanged before it is billed by itself.",
    )
    poster_lanes_max: int = Field(
        8, ge=1, le=64, description="How many ledgers are posted to at the same time."
    )
    poster_lease_seconds: float = Field(
        45.0, ge=5, le=3600, description="Lease of a ledger's lane; longer than any one call takes."
    )
    poster_settle_seconds: float = Field(
        5.0,
        ge=0,
        le=600,
        description="How long a write without an answer may take effect before the ledger is "
        "searched for it.",
    )
    poster_probe_seconds: float = Field(
        2.0, gt=0, le=600, description="First pause of a lane whose ledger can't be used."
    )
    poster_probe_seconds_max: float = Field(
        300.0, gt=0, le=7200, description="Longest pause of a lane whose ledger can't be used."
    )
    poster_attempts_max: int = Field(
        12, ge=1, le=100, description="Attempts at one write before it is parked for a person."
    )
    poster_closed_books_seconds: float = Field(
        60.0, ge=0, le=3600, description="How long the ledger's closing date is remembered."
    )
    poster_wait_seconds_max: float = Field(
        60.0, ge=0, le=600, description="Longest wait of one billing request for its result."
    )
