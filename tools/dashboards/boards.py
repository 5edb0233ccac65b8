"""All dashboards by the name of their file."""

from __future__ import annotations

from tools.dashboards.broker import broker
from tools.dashboards.flow import flow
from tools.dashboards.ledgers import ledgers
from tools.dashboards.money import money

BOARDS = {"money": money, "flow": flow, "ledgers": ledgers, "broker": broker}
