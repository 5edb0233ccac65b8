"""Faults on demand: lost connections, errors, slowness, broken bodies."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What can go wrong with a request."""

    LOSE_REQUEST = "lose_request"  # the connection drops and nothing was done
    LOSE_RESPONSE = "lose_response"  # all was done, then the connection drops
    SERVER_ERROR = "server_error"  # a 5xx, nothing was done
    ERROR_AFTER_COMMIT = "error_after_commit"  # all was done, the answer is a 504
    THROTTLE = "throttle"  # 429, nothing was done
    SLOW = "slow"  # waits before it works
    SLOW_AFTER_COMMIT = "slow_after_commit"  # works, then waits before it answers
    HTML_PAGE = "html_page"  # a gateway's HTML page, nothing was done
    TRUNCATED = "truncated"  # all was done, the JSON is cut off
    PARTIAL_BODY = "partial_body"  # all was done, the connection drops within the body
    WRONG_JSON = "wrong_json"  # all was done, the answer is JSON of another shape
    EXPIRE_SESSION = "expire_session"  # the caller's token ends now: 401


COMMON_FAULTS = frozenset(Fault) - {Fault.PARTIAL_BODY, Fault.WRONG_JSON, Fault.EXPIRE_SESSION}
"""What every stand-in can do."""

_SUBJECTS = ("writes", "reads", "all", "tokens")
DEFAULT_STATUS = {Fault.SERVER_ERROR: 503, Fault.ERROR_AFTER_COMMIT: 504, Fault.HTML_PAGE: 502}


@dataclass
class Setting:
    """How often a fault happens, to what, and how."""

    rate: Decimal = Decimal(0)
    """Share of requests, 0 to 1."""
    next: int = 0
    """This many of the next requests in any case."""
    every: int = 0
    """Every k-th matching request in any case; 0: none."""
    on: str = "writes"
    path: str = ""
    """Only requests with this text in their path, in any case; empty: all."""
    seconds: Decimal = Decimal(1)
    status: int = 0
    retry_after_seconds: int | None = None
    seen: int = 0
    """How many requests matched so far."""


@dataclass
class Disturbances:
    """Which faults are set. Not locked; the world that holds it is."""

    seed: int = 0
    known: Collection[Fault] = COMMON_FAULTS
    default_status: Mapping[Fault, int] = field(default_factory=lambda: dict(DEFAULT_STATUS))
    settings: dict[Fault, Setting] = field(default_factory=dict)
    happened: dict[Fault, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def set(self, name: str, values: Mapping[str, Any]) -> None:
        """Set one fault; raises ValueError for an unknown fault, field or subject."""
        fault = Fault(name)
        if fault not in self.known:
            raise ValueError(f"{name} is not a fault of this stand-in")
        setting = Setting(status=self.default_status.get(fault, 0))
        for key, value in values.items():
            if key not in Setting.__dataclass_fields__ or key == "seen":
                raise ValueError(f"unknown field {key!r} of fault {name}")
            is_decimal = key in ("rate", "seconds")
            setattr(setting, key, Decimal(str(value)) if is_decimal else value)
        if setting.on not in _SUBJECTS or not 0 <= setting.rate <= 1:
            raise ValueError(f"on is one of {', '.join(_SUBJECTS)} and rate from 0 to 1")
        self.settings[fault] = setting

    def clear(self) -> None:
        """Set nothing any more."""
        self.settings.clear()

    def draw(self, subject: str, path: str = "") -> dict[Fault, Setting]:
        """Return the faults that befall one request of ``writes``, ``reads`` or ``tokens``."""
        return {
            fault: setting
            for fault, setting in self.settings.items()
            if self._applies(setting, subject, path) and self._strikes(fault, setting)
        }

    def as_dict(self) -> dict[str, Any]:
        """Return what is set and how often each fault happened."""
        return {
            "set": {fault.value: asdict(setting) for fault, setting in self.settings.items()},
            "happened": {fault.value: count for fault, count in self.happened.items()},
        }

    def _applies(self, setting: Setting, subject: str, path: str) -> bool:
        if setting.path and setting.path.lower() not in path.lower():
            return False
        return setting.on == subject or (setting.on == "all" and subject != "tokens")

    def _strikes(self, fault: Fault, setting: Setting) -> bool:
        setting.seen += 1
        if setting.next > 0:
            setting.next -= 1
        elif setting.every and setting.seen % setting.every == 0:
            pass
        elif not setting.rate or Decimal(self._random.random()) >= setting.rate:
            return False
        self.happened[fault] = self.happened.get(fault, 0) + 1
        return True
