"""RabbitMQ for tests: one node per session, one fresh virtual host per test."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

from tests.support.processes import Guardian, free_ports
from tests.support.provisioning import Container, apt_install, give_up, has_container_engine

VARIABLE = "HOURBRIDGE_TEST_BROKER_URL"
MANAGEMENT_VARIABLE = "HOURBRIDGE_TEST_BROKER_MANAGEMENT_URL"
_DEBIAN = Path("/usr/lib/rabbitmq/bin")  # /usr/sbin's wrapper switches user and directory
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
_START_SECONDS = 90


class RabbitServer:
    """A broker that tests may fill with virtual hosts; reached as an administrator."""

    def __init__(self, broker_url: str, management_url: str) -> None:
        self._broker = urlsplit(broker_url)
        self._management = management_url.rstrip("/")

    def url(self, vhost: str) -> str:
        """Return the AMQP URL of a virtual host."""
        return urlunsplit(self._broker._replace(path=f"/{quote(vhost, safe='')}"))

    def api(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Call the management API (``path`` below ``/api/``) and return its JSON."""
        login = f"{self._broker.username or 'guest'}:{self._broker.password or 'guest'}"
        request = urllib.request.Request(
            f"{self._management}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read() or b"null")

    def create_vhost(self, name: str | None = None) -> str:
        """Create a virtual host and return its name."""
        name = name or f"test-{uuid.uuid4().hex[:16]}"
        self.api(f"vhosts/{name}", "PUT", {})
        user = self._broker.username or "guest"
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.api(f"permissions/{name}/{user}", "PUT", everything)
        return name

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with its queues and connections."""
        self.api(f"vhosts/{name}", "DELETE")

    def close_connections(self, vhost: str) -> int:
        """Make the broker close every connection of ``vhost``; return how many there were."""
        connections = self.api(f"vhosts/{vhost}/connections")
        for connection in connections:
            with contextlib.suppress(urllib.error.HTTPError):  # it may have gone by itself
                self.api(f"connections/{quote(connection['name'])}", "DELETE")
        return len(connections)

    @contextlib.contextmanager
    def vhost(self) -> Iterator[str]:
        """Yield the AMQP URL of a fresh virtual host; delete it afterwards."""
        name = self.create_vhost()
        try:
            yield self.url(name)
        finally:
            with contextlib.suppress(OSError):  # a fault test may have ended the node
                self.delete_vhost(name)

    def wait_until_ready(self, seconds: float = _START_SECONDS) -> None:
        """Return when AMQP and the management API answer."""
        deadline = time.monotonic() + seconds
        while not (self._answers_amqp() and self._answers_management()):
            self._fail_if_ended()
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"RabbitMQ at {self._broker.hostname}:{self._broker.port} or its management "
                    f"API at {self._management} does not answer"
                )
            time.sleep(0.05)

    def _answers_amqp(self) -> bool:
        address = (self._broker.hostname or "127.0.0.1", self._broker.port or 5672)
        with contextlib.suppress(OSError), socket.create_connection(address, 1) as connection:
            connection.settimeout(2)
            connection.sendall(_PROTOCOL_HEADER)
            return bool(connection.recv(1))  # Connection.Start: booted, definitions loaded
        return False

    def _answers_management(self) -> bool:
        with contextlib.suppress(OSError):
            self.api("vhosts")
            return True
        return False

    def _fail_if_ended(self) -> None:
        """Raise when the node has ended instead of starting."""

    def close(self) -> None:
        """Let go of the broker; a private one ends."""


class PrivateRabbit(RabbitServer):
    """A throw-away node with its own ports, data, cookie and epmd; can be disturbed at will."""

    def __init__(self) -> None:
        self.amqp_port, self._dist, self.management_port, self._epmd_port = free_ports(4)
        super().__init__(
            f"amqp://guest:guest@127.0.0.1:{self.amqp_port}/",
            f"http://127.0.0.1:{self.management_port}",
        )
        self.directory = Path(tempfile.mkdtemp(prefix="hb-rmq-", dir="/tmp"))
        self._guardian = Guardian(self.directory)
        self._write_configuration()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    def _write_configuration(self) -> None:
        (self.directory / "enabled_plugins").write_text("[rabbitmq_management].")
        (self.directory / "rabbitmq.conf").write_text(
            f"listeners.tcp.default = 127.0.0.1:{self.amqp_port}\n"
            "management.tcp.ip = 127.0.0.1\n"
            f"management.tcp.port = {self.management_port}\n"
            "log.console = true\n"
            "log.console.level = warning\n"
            "log.file = false\n"
            "collect_statistics_interval = 1000\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 50MB\n"
        )

    def _environment(self) -> dict[str, str]:
        home = str(self.directory)
        return {
            "PATH": f"{_DEBIAN}:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": home,  # a private .erlang.cookie
            "LANG": "C.UTF-8",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": f"hb{self.amqp_port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{home}/generated",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
                " -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CTL_DIST_PORT_MIN": "29100",
            "RABBITMQ_CTL_DIST_PORT_MAX": "29900",
        }

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.directory / "console.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self.directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> Self:
        """Start the node (on the data of an earlier start, if any) and wait until it answers."""
        if self._epmd is None or self._epmd.poll() is not None:
            self._epmd = self._spawn("epmd")  # in the foreground: no daemon is left behind
        self._node = self._spawn(str(_DEBIAN / "rabbitmq-server"))
        self._guardian.watch((signal.SIGKILL, -self._node.pid), (signal.SIGKILL, -self._epmd.pid))
        self.wait_until_ready()
        return self

    def log(self) -> str:
        """Return the end of what the node printed."""
        return (self.directory / "console.log").read_text(errors="replace")[-3000:]

    def _fail_if_ended(self) -> None:
        if self._node is None or self._node.poll() is not None:
            raise RuntimeError(f"RabbitMQ did not start:\n{self.log()}")

    def ctl(self, *arguments: str) -> str:
        """Run ``rabbitmqctl`` against this node and return what it printed."""
        done = subprocess.run(
            [str(_DEBIAN / "rabbitmqctl"), "-q", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def _signal(self, number: signal.Signals) -> None:
        if self._node is not None and self._node.poll() is None:
            os.killpg(self._node.pid, number)

    def pause(self) -> None:
        """Hang the broker: connections stay open, nothing answers, heartbeats stop."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused broker go on."""
        self._signal(signal.SIGCONT)

    def crash(self) -> None:
        """Kill the node; what it had on disk stays for the next start."""
        self._signal(signal.SIGKILL)
        if self._node is not None:
            self._node.wait(30)

    def restart(self) -> None:
        """Crash and start again with the same address and data."""
        self.crash()
        self.start()

    def close(self) -> None:
        """Kill the node and its epmd and remove their files."""
        self.crash()
        if self._epmd is not None and self._epmd.poll() is None:
            self._epmd.kill()
            self._epmd.wait(30)
        self._guardian.watch()
        self._guardian.close()


class _ContainerRabbit(RabbitServer):
    def __init__(self) -> None:
        amqp, management = free_ports(2)
        self._container = Container.run(
            "rabbitmq:3-management", ports={amqp: 5672, management: 15672}, environment={}
        )
        super().__init__(f"amqp://guest:guest@127.0.0.1:{amqp}/", f"http://127.0.0.1:{management}")
        self.wait_until_ready()

    def close(self) -> None:
        self._container.remove()


def _given_server(broker_url: str) -> RabbitServer:
    host = urlsplit(broker_url).hostname or "127.0.0.1"
    management_url = os.environ.get(MANAGEMENT_VARIABLE, f"http://{host}:15672")
    server = RabbitServer(broker_url, management_url)
    server.wait_until_ready(10)
    return server


def is_installed() -> bool:
    """Return whether Debian's package is there to start private nodes from."""
    return (_DEBIAN / "rabbitmq-server").exists() and shutil.which("epmd") is not None


def open_session_server() -> RabbitServer:
    """Return the broker for this session: given, private, or in a container; else give up."""
    given = os.environ.get(VARIABLE)
    if given:
        return _given_server(given)
    if is_installed() or apt_install("rabbitmq-server"):
        return PrivateRabbit().start()
    if has_container_engine():
        return _ContainerRabbit()
    return give_up(
        "RabbitMQ",
        f"set {VARIABLE}",
        "install Debian's rabbitmq-server",
        "start a container engine",
    )


def open_private_node() -> PrivateRabbit:
    """Return a node of the caller's own to crash and pause; give up when none can be started."""
    if not is_installed() and not apt_install("rabbitmq-server"):
        give_up("RabbitMQ node to disturb", "install Debian's rabbitmq-server")
    return PrivateRabbit().start()
