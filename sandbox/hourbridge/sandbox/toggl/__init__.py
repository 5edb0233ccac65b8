"""A stand-in for Toggl Track: its API, version 9, and its signed webhooks.

What it imitates is what is known of the real service: field names, query parameters, status
codes (402 for the hourly quota, 429 for bursts, 410 for calls given up), tombstones in the feed
of changes, 90 days, 1000 rows, update times in whole seconds, and deliveries that come twice, in
disorder, late or from somebody else.
"""

from hourbridge.sandbox.toggl.server import TogglServer
from hourbridge.sandbox.toggl.settings import TogglSandboxSettings

__all__ = ["TogglSandboxSettings", "TogglServer"]
