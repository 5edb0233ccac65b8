"""Makes the shared fixtures known to the tests of every package."""

pytest_plugins = ("tests.support.fixtures",)
