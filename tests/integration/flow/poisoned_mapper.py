"""A mapper with a defect: certain entries make it fail, others end its process.

Run as ``python -m tests.integration.flow.poisoned_mapper`` in place of the real one.
"""

from __future__ import annotations

import os
from typing import Any

import hourbridge.mapper.handlers as handlers
from hourbridge.cli.platform import build_function, settings_class
from hourbridge.common.runtime.main import run_service

FAILS, KILLS = "this one fails", "this one kills"
_healthy = handlers.map_accepted


def _defective(*arguments: Any, **keywords: Any) -> Any:
    text = repr(arguments)
    if KILLS in text:
        os._exit(9)
    if FAILS in text:
        raise RuntimeError("a defect met its record")
    return _healthy(*arguments, **keywords)


if __name__ == "__main__":
    handlers.map_accepted = _defective
    run_service("mapper", settings_class("mapper")(), build_function("mapper"))
