"""`python -m hourbridge.cli.demo`: the main job, end to end, on the embedded defaults."""

from __future__ import annotations

import os
import sys

from hourbridge.cli.commands.running import wait_for_signal
from hourbridge.cli.demo.story import Story
from hourbridge.cli.demo.world import DemoWorld
from hourbridge.cli.output import console
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.logs import configure_logs


def main() -> int:
    """Tell the story; the last line says OK or FAILED; return the exit code."""
    configure_logs(level=os.environ.get("HOURBRIDGE_LOG_LEVEL", "error"), log_format="console")
    world = DemoWorld()
    try:
        world.start()
        last_line = Story(world, console).tell()
        code = 0
    except (HourbridgeError, AssertionError) as error:
        last_line, code = f"demo: FAILED {error}", 1
    if code == 0 and os.environ.get("KEEP") == "1":
        _keep(world)
    world.stop()
    console.print(last_line, highlight=False, soft_wrap=True)
    return code


def _keep(world: DemoWorld) -> None:
    console.print("\nKept up until you press Ctrl-C:")
    for name, url in world.addresses().items():
        console.print(f"  {name:<22} {url}", highlight=False)
    console.print(f"  export HOURBRIDGE_ADMIN_TOKEN={world.platform.admin_token}", highlight=False)
    for name, runner in world.platform.runners.items():
        console.print(f"  export HOURBRIDGE_{name.upper()}_URL={runner.http.url}", highlight=False)
    wait_for_signal()


if __name__ == "__main__":
    sys.exit(main())
