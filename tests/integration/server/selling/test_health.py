"""Health that tells the truth: without a database the server is not ready, with it again it is."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from server.embedded.postgres import PrivatePostgres
from server.embedded_stack import EmbeddedServer, embedded_server
from tests.integration.server.selling.client import Served


async def test_a_running_server_is_well_in_all_its_parts(served: Served) -> None:
    await served.until_ready()
    for path in ("/health", "/health/live", "/health/ready", "/health/startup"):
        reply = await served.call("GET", path)
        assert (reply.status, reply.json["status"]) == (200, "ok"), (path, reply.body)
        assert reply.headers["Cache-Control"] == "no-store"
    ready = (await served.call("GET", "/health/ready")).json
    assert set(ready["parts"]) >= {"database", "relay"}  # type: ignore[call-overload]


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedServer]:
    """Give a server with a database of its own that a test may take away."""
    home = Path(tempfile.mkdtemp(prefix="tickettoken-test-"))
    home.chmod(0o755)  # the database runs as another account when this one is root
    async with embedded_server(home / "data", unsafe_fast=True) as server:
        yield server
    shutil.rmtree(home)


async def test_without_its_database_a_server_lives_but_is_not_ready(embedded: EmbeddedServer) -> None:
    async with aiohttp.ClientSession() as session:
        await until_ready(session, embedded.base_url)
        postgres: PrivatePostgres = embedded.cluster.postgres
        await asyncio.to_thread(postgres.stop)
        parts = await until_down(session, embedded.base_url)
        assert parts["database"] == {
            "status": "down",
            "tookMs": parts["database"]["tookMs"],
            "code": "database_unavailable",
        }
        async with session.get(f"{embedded.base_url}/health/live") as response:
            assert response.status == 200


async def until_down(session: aiohttp.ClientSession, base_url: str) -> dict[str, dict[str, object]]:
    """Return how the parts are once the server is not ready; what was seen counts for a moment."""
    async with asyncio.timeout(20):
        while True:
            async with session.get(f"{base_url}/health/ready") as response:
                if response.status == 503:
                    parts: dict[str, dict[str, object]] = (await response.json())["parts"]
                    return parts


async def until_ready(session: aiohttp.ClientSession, base_url: str) -> None:
    """Return once every part of the server is up."""
    async with asyncio.timeout(20):
        while True:
            async with session.get(f"{base_url}/health/ready") as response:
                if response.status == 200:
                    return
