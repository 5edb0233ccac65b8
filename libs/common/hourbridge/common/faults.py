"""Fault points: named places where a test can kill or disturb a process.

Production code calls ``fault_point("poster.after_ledger_write")`` at places declared with
``declare``; it costs one set lookup unless ``HOURBRIDGE_FAULTS`` arms it. The variable holds
``name=action[@nth]`` parts separated by commas; actions are ``kill9``, ``sleep:<seconds>`` and
``raise``; ``@nth`` lets the action happen at the nth passing only (default: the first).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, field

from hourbridge.common.errors import ConfigurationInvalid, TransientFailure

_declared: dict[str, str] = {}


def declare(name: str, meaning: str) -> str:
    """Register a fault point so that tests can iterate over all of them; returns its name."""
    _declared[name] = meaning
    return name


def declared() -> dict[str, str]:
    """Return every declared fault point of the imported modules with its meaning."""
    return dict(_declared)


@dataclass
class _Armed:
    action: str
    nth: int
    passed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self) -> bool:
        with self.lock:
            self.passed += 1
            return self.passed == self.nth


def _parse(text: str) -> dict[str, _Armed]:
    armed = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, action = part.partition("=")
        action, _, nth = action.partition("@")
        known = action in ("kill9", "raise") or action.startswith("sleep:")
        if not equals or not known:
            raise ConfigurationInvalid(f"HOURBRIDGE_FAULTS: cannot read {part!r}")
        armed[name] = _Armed(action, int(nth or 1))
    return armed


_armed = _parse(os.environ.get("HOURBRIDGE_FAULTS", ""))


def arm(text: str) -> None:
    """Replace what is armed (tests inside one process)."""
    _armed.clear()
    _armed.update(_parse(text))


def fault_point(name: str) -> None:
    """Do what is armed for ``name``, if anything."""
    if not _armed or name not in _armed or not _armed[name].due():
        return
    action = _armed[name].action
    if action == "kill9":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise TransientFailure(f"fault injected at {name}")
    else:
        time.sleep(float(action.removeprefix("sleep:")))
