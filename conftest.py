"""Makes the shared fixtures known to the tests of every package."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.support.fixtures",)

# A slow machine is no defect: examples have no deadline. Under CI they are the same each time.
settings.register_profile(
    "hourbridge",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# For tests that run thousands of times against changed rules: few examples, always the same.
settings.register_profile(
    "mutation",
    settings.get_profile("hourbridge"),
    max_examples=20,
    derandomize=True,
    database=None,
)
settings.load_profile("hourbridge")
