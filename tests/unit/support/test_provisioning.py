"""Servers are looked for in the documented order, and CI never skips for want of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import postgres, provisioning, rabbitmq


class Fake:
    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def start(self) -> Fake:
        return self


@pytest.fixture(autouse=True)
def nothing_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (postgres.VARIABLE, rabbitmq.VARIABLE, rabbitmq.MANAGEMENT_VARIABLE, "CI"):
        monkeypatch.delenv(name, raising=False)
    for module in (postgres, rabbitmq):
        monkeypatch.setattr(module, "apt_install", lambda package: False)
        monkeypatch.setattr(module, "has_container_engine", lambda: False)
    monkeypatch.setattr(postgres, "installed_binaries", lambda: None)
    monkeypatch.setattr(postgres, "_packaged_binaries", lambda: None)
    monkeypatch.setattr(rabbitmq, "is_installed", lambda: False)
    monkeypatch.setattr(postgres, "PrivatePostgres", Fake)
    monkeypatch.setattr(rabbitmq, "PrivateRabbit", Fake)


@pytest.mark.parametrize("module", [postgres, rabbitmq])
def test_without_any_server_ci_fails(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=module.VARIABLE):
        module.open_session_server()


@pytest.mark.parametrize("module", [postgres, rabbitmq])
def test_without_any_server_a_person_is_told(module: Any) -> None:
    with pytest.warns(UserWarning, match="install Debian's"), pytest.raises(pytest.skip.Exception):
        module.open_session_server()


def test_installed_postgres_is_preferred_to_the_packaged_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_packaged_binaries", lambda: Path("/packaged"))
    assert postgres.private_binaries() == Path("/packaged")
    monkeypatch.setattr(postgres, "installed_binaries", lambda: Path("/installed"))
    server: Any = postgres.open_session_server()
    assert server.arguments == (Path("/installed"),)


def test_rabbitmq_is_installed_where_that_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(rabbitmq, "apt_install", lambda package: not asked.append(package))
    assert isinstance(rabbitmq.open_session_server(), Fake)
    assert asked == ["rabbitmq-server"]


@pytest.mark.parametrize(("module", "name"), [(postgres, "Postgres"), (rabbitmq, "Rabbit")])
def test_a_container_is_the_last_resort(
    module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "has_container_engine", lambda: True)
    monkeypatch.setattr(module, f"_Container{name}", Fake)
    assert isinstance(module.open_session_server(), Fake)


def test_a_client_without_an_engine_is_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    monkeypatch.setenv("PATH", str(tmp_path))
    for script, answers in (("#!/bin/sh\nexit 1\n", False), ("#!/bin/sh\necho 28.2.2\n", True)):
        docker.write_text(script)
        docker.chmod(0o755)
        provisioning.has_container_engine.cache_clear()
        assert provisioning.has_container_engine() is answers
    provisioning.has_container_engine.cache_clear()
