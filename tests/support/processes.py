"""Child processes of a test run that never outlive it, however it ends."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import signal
import socket
import subprocess
from pathlib import Path

_PORTS = range(20000, 29000)
"""Below the kernel's ephemeral range: no outgoing connection takes one between two starts."""


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports on 127.0.0.1 that nothing listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_PORTS)
        if port not in found and _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return the user to run a server as that refuses root; None when we are not root."""
    if os.getuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


class Guardian:
    """Removes what a test run leaves behind, even after the run was killed with SIGKILL.

    A small shell waits for the end of its standard input, which this process holds. It then
    signals the listed targets and removes the directory. ``close`` makes that happen at once.
    """

    _SCRIPT = (
        'cat >/dev/null; [ -f "$1/guarded" ] && while read -r signal target; do '
        'kill -s "$signal" -- "$target" 2>/dev/null; done <"$1/guarded"; '
        '[ -f "$1/slow" ] && sleep 0.5; rm -rf "$1"'
    )

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", self._SCRIPT, "guardian", str(directory)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def watch(self, *targets: tuple[signal.Signals, int]) -> None:
        """Replace the list of (signal, pid); a negative pid is a process group."""
        lines = [f"{name.name.removeprefix('SIG')} {pid}\n" for name, pid in targets]
        (self._directory / "guarded").write_text("".join(lines))

    def close(self) -> None:
        """End the watched processes and remove the directory now."""
        if self._shell.stdin is not None:
            self._shell.stdin.close()
        self._shell.wait(30)
