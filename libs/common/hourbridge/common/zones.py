"""The time zone rules of this process: one database, whose version is known.

The rules come from the pinned package ``tzdata``, never from whatever the machine happens to
have: two replicas must not put one entry on two days. An installation that needs newer rules
before the next release gives a directory of its own.
"""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzdata

from hourbridge.common.errors import ConfigurationInvalid

_VERSION_FILES = ("+VERSION", "tzdata.zi")
_VERSION = re.compile(r"(?:# version )?(\w+)")

zoneinfo.reset_tzpath(to=())


def use_zones(directory: Path | None = None) -> str:
    """Take the rules from ``directory`` (None: the package) from now on; return their version.

    Raises ConfigurationInvalid when the directory doesn't say which version it holds.
    """
    version: str = tzdata.IANA_VERSION if directory is None else _version_in(directory)
    zoneinfo.reset_tzpath(to=() if directory is None else (str(directory.resolve()),))
    ZoneInfo.clear_cache()
    zone_of.cache_clear()
    _Active.version = version
    return version


class _Active:
    version: str = tzdata.IANA_VERSION


def zones_version() -> str:
    """Return the version of the rules, such as ``2026f``; recorded with what was made by them."""
    return _Active.version


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, None if the rules know none such."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _version_in(directory: Path) -> str:
    for name in _VERSION_FILES:
        try:
            found = _VERSION.match((directory / name).read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            continue
        if found:
            return found[1]
    raise ConfigurationInvalid(
        f"{directory} does not say which version of the time zone rules it holds",
        advice=f"Give a directory made by zic with one of the files {', '.join(_VERSION_FILES)}.",
    )
