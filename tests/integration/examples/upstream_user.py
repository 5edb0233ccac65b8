"""Creates the broker user of an upstream system by the very commands that the manual shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from tests.support.rabbitmq import RabbitServer

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "connect-upstream.md"
_CODE_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
PASSWORD = "only-for-this-test"


def commands() -> Iterator[list[str]]:
    """Yield the arguments of each ``rabbitmqctl`` line of the manual."""
    for block in _CODE_BLOCK.findall(MANUAL.read_text()):
        for line in block.splitlines():
            words = shlex.split(line)
            if words[:1] == ["rabbitmqctl"]:
                yield words[1:]


def create(server: RabbitServer, broker_url: str) -> str:
    """Run the manual's commands for the virtual host of ``broker_url``; return the user's URL."""
    vhost = unquote(urlsplit(broker_url).path[1:])
    user = ""
    for name, *arguments in commands():
        if name == "add_user":
            user = arguments[0]
            server.api(f"users/{user}", "PUT", {"password": PASSWORD, "tags": ""})
        elif name == "set_permissions":
            _, _, user, configure, write, read = arguments
            body = {"configure": configure, "write": write, "read": read}
            server.api(f"permissions/{vhost}/{user}", "PUT", body)
        elif name == "set_topic_permissions":
            _, _, user, exchange, write, read = arguments
            body = {"exchange": exchange, "write": write, "read": read}
            server.api(f"topic-permissions/{vhost}/{user}", "PUT", body)
        else:
            raise AssertionError(f"the manual uses rabbitmqctl {name}; teach this test to run it")
    parts = urlsplit(broker_url)
    address = f"{user}:{PASSWORD}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=address))
