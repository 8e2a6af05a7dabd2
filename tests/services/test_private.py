"""The launchers keep their own promises: nothing stays behind, and what cannot be had is said in one sentence."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.services.messages import Running
from tests.services.processes import HOST

ROOT = Path(__file__).parents[2]

OWNER = """
import sys, msgspec
from tests.services.messages import Request
from tests.services.private import PrivateService
with PrivateService(Request(service=sys.argv[1])) as service:
    print(msgspec.json.encode(service.running).decode(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("service", ["valkey", "rabbitmq"])
def test_a_server_ends_when_its_owner_is_killed(service: str) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, service], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    with owner:
        assert owner.stdout is not None
        running = msgspec.json.decode(owner.stdout.readline(), type=Running)
        server = os.pidfd_open(running.pid)
        with socket.create_connection((HOST, running.port), 10) as connection:
            owner.kill()
            assert read_end(connection) == b""
    ended = select.poll()
    ended.register(server, select.POLLIN)
    assert ended.poll(20_000), "the server is still there"
    os.close(server)


def test_half_an_address_of_a_broker_ends_the_run_with_a_sentence() -> None:
    env = {name: value for name, value in os.environ.items() if name != "RABBITMQ_API_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/contract/bus/test_topology.py", "-q", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=env | {"AMQP_URL": "amqp://127.0.0.1/"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    assert "the tests need both AMQP_URL and RABBITMQ_API_URL" in done.stdout + done.stderr


def read_end(connection: socket.socket) -> bytes:
    """Return what a server says without being asked, which is nothing, once it ends the connection."""
    connection.settimeout(20)
    try:
        return connection.recv(1)
    except ConnectionResetError:
        return b""
