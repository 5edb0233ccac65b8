"""Time zone rules that no government has made yet, as the files that zic compiles."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

_HEADER = struct.Struct(">4sc15xllllll")


def write_zone(
    directory: Path, name: str, changes: Sequence[tuple[datetime, timedelta]], tail: str
) -> None:
    """Write a zone whose offset changes at the given instants; ``tail`` is POSIX for later ones.

    The first change is also what held before it.
    """
    offsets = list(dict.fromkeys(offset for _, offset in changes))
    times = [int(at.astimezone(UTC).timestamp()) for at, _ in changes]
    body = struct.pack(f">{len(times)}q", *times)
    body += bytes(offsets.index(offset) for _, offset in changes)
    for offset in offsets:
        body += struct.pack(">lbB", int(offset.total_seconds()), 0, 0)
    body += b"HB\x00"
    empty = _HEADER.pack(b"TZif", b"2", 0, 0, 0, 0, 1, 1) + struct.pack(">lbB", 0, 0, 0) + b"\x00"
    header = _HEADER.pack(b"TZif", b"2", 0, 0, 0, len(times), len(offsets), 3)
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(empty + header + body + f"\n{tail}\n".encode("ascii"))


def without_winter_time(directory: Path, name: str, year: int, *, version: str) -> Path:
    """Write rules by which ``name`` stays on the summer time of ``year`` for ever.

    Until then it is as it was; the other zones stay the packaged ones.
    """
    zone = ZoneInfo(name)
    changes = []
    day = datetime(year - 5, 1, 1, tzinfo=UTC)
    held = None
    while day < datetime(year, 8, 1, tzinfo=UTC):
        offset = day.astimezone(zone).utcoffset() or timedelta()
        if offset != held:
            changes.append((_changed(day, zone, offset), offset))
            held = offset
        day += timedelta(days=1)
    summer = changes[-1][1]
    minutes = int(summer.total_seconds()) // 60
    sign = "-" if minutes > 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    write_zone(directory, name, changes, f"<HB>{sign}{hours}:{rest:02}")
    (directory / "+VERSION").write_text(f"{version}\n", encoding="ascii")
    return directory


def _changed(day: datetime, zone: ZoneInfo, offset: timedelta) -> datetime:
    """Return when in the day before ``day`` the zone took its offset."""
    moment = day
    while moment > day - timedelta(days=1):
        earlier = moment - timedelta(minutes=30)
        if earlier.astimezone(zone).utcoffset() != offset:
            return moment
        moment = earlier
    return day
