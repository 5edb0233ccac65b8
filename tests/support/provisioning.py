"""How tests come by a server: installed binaries, Debian packages, containers, or not at all.

The caller tries, in this order: an address in the environment, installed binaries started as a
private throw-away node, ``apt-get install`` (as root), a container (if an engine answers).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

import pytest


def give_up(server: str, *remedies: str) -> NoReturn:
    """Fail under CI, else skip loudly: there is no way to get ``server`` here."""
    text = f"no {server}: " + ", or ".join(remedies)
    if os.environ.get("CI"):
        pytest.fail(text, pytrace=False)
    warnings.warn(text, stacklevel=2)
    pytest.skip(text)


@cache
def apt_install(package: str) -> bool:
    """Install a Debian package without starting its service; return whether that worked."""
    if os.getuid() != 0 or shutil.which("apt-get") is None:
        return False
    # RUNLEVEL=1 keeps the package's own service from starting: we run a private node.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for command in (
        ["apt-get", "-q", "update"],
        ["apt-get", "-q", "install", "-y", "--no-install-recommends", package],
    ):
        if subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
            return False
    return True


@cache
def has_container_engine() -> bool:
    """Return whether a container engine answers, not merely its client."""
    if shutil.which("docker") is None:
        return False
    answer = subprocess.run(
        ["docker", "info", "--format", "{{.ServerVersion}}"],
        capture_output=True,
        timeout=20,
        check=False,
    )
    return answer.returncode == 0 and bool(answer.stdout.strip())


@dataclass(frozen=True)
class Container:
    """A running throw-away container."""

    id: str

    @classmethod
    def run(cls, image: str, *, ports: dict[int, int], environment: dict[str, str]) -> Container:
        """Start ``image``; ``ports`` maps ports of 127.0.0.1 to the container's."""
        command = ["docker", "run", "--detach", "--rm"]
        for outer, inner in ports.items():
            command += ["--publish", f"127.0.0.1:{outer}:{inner}"]
        for name, value in environment.items():
            command += ["--env", f"{name}={value}"]
        started = subprocess.run([*command, image], capture_output=True, text=True, check=True)
        return cls(started.stdout.strip())

    def remove(self) -> None:
        """Stop and delete the container."""
        subprocess.run(["docker", "rm", "--force", self.id], capture_output=True, check=False)
