"""Consuming: what services use to declare lanes and their handlers."""

from __future__ import annotations

from hourbridge.common.bus.lanes import (
    Handler,
    Lane,
    RawHandler,
    Received,
    Transactions,
    suspect_lane,
    with_suspect_lane,
    work_and_bulk_lanes,
)
from hourbridge.common.bus.worker import LaneWorker

__all__ = [
    "Handler",
    "Lane",
    "LaneWorker",
    "RawHandler",
    "Received",
    "Transactions",
    "suspect_lane",
    "with_suspect_lane",
    "work_and_bulk_lanes",
]
