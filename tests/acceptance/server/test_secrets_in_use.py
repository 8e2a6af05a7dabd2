"""What `tickettoken secrets` writes is taken by a real PostgreSQL, a real RabbitMQ and the server itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from server.embedded.postgres import PrivatePostgres
from tests.acceptance.server.program import ready, run, served
from tests.services.plugin import Broker, broker

__all__ = ["broker"]


@pytest.fixture
def empty_cluster() -> Iterator[str]:
    """Give the superuser's address of a cluster in which nothing was done yet."""
    with tempfile.TemporaryDirectory(prefix="tickettoken-test-") as directory:
        Path(directory).chmod(0o711)
        private = PrivatePostgres(Path(directory) / "cluster", unsafe_fast=True)
        running = private.start()
        yield running.dsn()
        private.stop()


async def make(tmp_path: Path) -> Path:
    place = tmp_path / "secrets"
    status, _, errors = await run("secrets", str(place))
    assert status == 0, errors
    return place


def readdress(place: Path, admin_dsn: str) -> dict[str, str]:
    """Return the settings of the files; PostgreSQL is somewhere else than in the compose file."""
    address = urlsplit(admin_dsn).netloc.rpartition("@")[2]
    environ = {f"{name.upper()}_FILE": str(place / name) for name in ("jwt_secret", "qr_encryption_key")}
    for name in ("database_url", "worker_database_url", "owner_database_url"):
        environ[name.upper()] = (place / name).read_text().replace("postgres:5432", address)
    return environ


async def test_a_server_starts_on_a_database_made_with_them(tmp_path: Path, empty_cluster: str) -> None:
    place = await make(tmp_path)
    admin = await asyncpg.connect(empty_cluster)
    try:
        # one by one, as psql does: a database is not made inside a transaction
        for statement in (place / "postgres_init.sql").read_text().strip().split(";\n"):
            await admin.execute(statement)
    finally:
        await admin.close()
    environ = readdress(place, empty_cluster)
    status, output, errors = await run("migrate", **environ)
    assert status == 0, output + errors
    async with served(**environ) as server:
        assert (await ready(server.base_url))["status"] == "ok"
    status, output, errors = await run("doctor", **environ)
    assert status == 0, output + errors


async def test_the_broker_runs_with_the_plugins_of_the_compose_file(broker: Broker) -> None:
    async with aiohttp.ClientSession(broker.api_url) as session, session.get("/api/overview") as response:
        overview = await response.json()
    assert {"amqp", "http", "http/prometheus"} <= {one["protocol"] for one in overview["listeners"]}


async def test_the_broker_takes_its_definitions(tmp_path: Path, broker: Broker) -> None:
    place = await make(tmp_path)
    given = urlsplit((place / "rabbitmq_management_url").read_text())
    async with aiohttp.ClientSession(broker.api_url) as session:
        headers = {"Content-Type": "application/json"}
        definitions = (place / "rabbitmq_definitions.json").read_text()
        async with session.post("/api/definitions", data=definitions, headers=headers) as response:
            assert response.status == 204, await response.text()
        try:
            who = {"Authorization": aiohttp.encode_basic_auth(given.username or "", given.password or "")}
            address = urlsplit(broker.api_url)
            bare = f"{address.scheme}://{address.hostname}:{address.port}"
            async with aiohttp.ClientSession(headers=who) as named, named.get(f"{bare}/api/whoami") as response:
                assert (response.status, (await response.json())["name"]) == (200, "tickettoken")
        finally:
            async with session.delete("/api/users/tickettoken") as response:
                assert response.status == 204
