"""Connections to outside systems, shared by replicas: tokens, call budgets, lane leases."""

from hourbridge.connectors.connections.states import ConnectionState
from hourbridge.connectors.connections.store import (
    SCHEMA,
    ConnectionDetails,
    ConnectionStore,
    NewConnection,
    lane_name,
)

__all__ = [
    "SCHEMA",
    "ConnectionDetails",
    "ConnectionState",
    "ConnectionStore",
    "NewConnection",
    "lane_name",
]
