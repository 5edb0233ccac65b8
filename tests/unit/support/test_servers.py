"""The throw-away servers keep what they promise, since every other test leans on them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pika
import psycopg2
import pytest

from tests.support.installation import wait_until
from tests.support.postgres import PostgresServer, PrivatePostgres
from tests.support.rabbitmq import PrivateRabbit


def _connect(url: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))


@pytest.mark.database
def test_each_database_is_its_own(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as first, postgres_server.database() as second:
        with _connect(first) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE mine (n int)")
        with _connect(second) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('mine')")
            assert cursor.fetchone() == (None,)


@pytest.mark.database
def test_dropped_although_somebody_is_connected(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        connection = _connect(url)
    with pytest.raises(psycopg2.OperationalError):
        connection.cursor().execute("SELECT 1")


@pytest.mark.database
def test_committed_data_survives_a_crash(private_postgres: PrivatePostgres) -> None:
    private_postgres.execute("CREATE TABLE kept (n int)")
    private_postgres.execute("INSERT INTO kept VALUES (1)")
    private_postgres.restart()
    assert private_postgres.execute("SELECT n FROM kept") == [(1,)]


@pytest.mark.broker
def test_each_virtual_host_is_its_own(broker_url: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    with connection:
        channel = connection.channel()
        channel.queue_declare("mine", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "mine", b"hello")
    assert urlsplit(broker_url).path.startswith("/test-")


@pytest.mark.broker
def test_node_crashes_restarts_and_pauses(private_rabbitmq_node: PrivateRabbit) -> None:
    node = private_rabbitmq_node
    url = node.url(node.create_vhost("kept"))
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("kept", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", "kept", b"hello", pika.BasicProperties(delivery_mode=2))
    time.sleep(1)  # RabbitMQ 3.10 writes a new quorum queue's name to disk half a second late
    node.restart()
    node.pause()
    wait_until(lambda: not node._answers_amqp(), "the node to hang")
    node.resume()
    node.wait_until_ready()
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        _, _, body = connection.channel().basic_get("kept", auto_ack=True)
    assert body == b"hello"


_HOLD_A_SERVER = """
from tests.support.postgres import PrivatePostgres, private_binaries
server = PrivatePostgres(private_binaries()).start()
print(server._process.pid, server.directory, flush=True)
input()
"""


@pytest.mark.database
def test_servers_end_when_the_test_run_is_killed() -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD_A_SERVER],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    pid_text, directory = holder.stdout.readline().split()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    deadline = time.monotonic() + 30
    while Path(directory).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(directory).exists()
    assert not Path(f"/proc/{pid_text}/root").exists()
