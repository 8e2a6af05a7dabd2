"""Servers that answer and workers that work, as separate processes on one database, one broker and one Redis."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import asyncpg

from tests.acceptance.server.program import LONG_S, Program, buy_and_show, listening, ready, run, served
from tests.acceptance.server.test_given_database import environ_of
from tests.conftest import Databases
from tests.services.plugin import VirtualHost, broker, redis_url, vhost

__all__ = ["broker", "redis_url", "vhost"]


def settings(database: Databases, vhost: VirtualHost, redis_url: str) -> dict[str, str]:
    """Return the environment that all processes share."""
    return environ_of(database) | {
        "REDIS_URL": redis_url,
        "RABBITMQ_URL": vhost.url,
        "PAYMENTS": "demo",
    }


class Notices:
    """Counts what the relay tells after each move into a feed."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def hear(self, *_: object) -> None:
        """Note one."""
        self._heard.set()

    async def wait(self) -> None:
        """Return at the next one."""
        self._heard.clear()
        async with asyncio.timeout(LONG_S):
            await self._heard.wait()


@asynccontextmanager
async def relayed(database: Databases) -> AsyncIterator[Notices]:
    """Listen to the relay, whichever process it runs in."""
    connection = await asyncpg.connect(database.worker_dsn)
    notices = Notices()
    await connection.add_listener("feed", notices.hear)
    try:
        yield notices
    finally:
        await connection.close()


async def sell(notices: Notices, server: Program, token: str) -> None:
    """Buy a ticket and return once the gates' feed tells of it."""
    async with asyncio.TaskGroup() as group:
        group.create_task(notices.wait())
        group.create_task(buy_and_show(server.base_url, token))


async def kill(program: Program) -> None:
    """End a process with no chance to tidy up."""
    program.process.send_signal(signal.SIGKILL)
    await program.process.communicate()


async def test_workers_relay_what_servers_sell_and_take_over_from_the_killed(
    database: Databases, vhost: VirtualHost, redis_url: str
) -> None:
    environ = settings(database, vhost, redis_url)
    status, seeded, errors = await run("seed", "--tokens", "--json", **environ)
    assert status == 0, errors
    token = str(json.loads(seeded)["tokens"]["attendee"])
    async with (
        served("--no-work", **environ) as one,
        served("--no-work", **environ) as two,
        listening("work", **environ) as first,
        relayed(database) as notices,
        listening("work", **environ) as second,
    ):
        for program in (one, two, first, second):
            assert (await ready(program.base_url))["status"] == "ok"
        await sell(notices, one, token)
        await kill(first)
        await sell(notices, two, token)
        async with listening("work", **environ) as third:
            await ready(third.base_url)
            await kill(second)
            await sell(notices, one, token)


async def test_a_worker_answers_of_its_health_and_of_nothing_else(database: Databases) -> None:
    async with listening("work", **environ_of(database)) as worker, aiohttp.ClientSession(worker.base_url) as session:
        health = await ready(worker.base_url)
        assert health["status"] == "ok"
        async with session.get("/api/v1/events") as response:
            assert (response.status, (await response.json())["code"]) == (404, "route_not_found")
        status, errors = await worker.stop(signal.SIGTERM)
    assert (status, errors.splitlines()[-1]) == (0, "stopped")
    assert "server.draining" in errors


async def test_a_server_without_work_leaves_the_feed_alone(database: Databases) -> None:
    environ = environ_of(database) | {"PAYMENTS": "demo"}
    status, seeded, errors = await run("seed", "--tokens", "--json", **environ)
    assert status == 0, errors
    async with served("--no-work", **environ) as server:
        await buy_and_show(server.base_url, str(json.loads(seeded)["tokens"]["attendee"]))
        worker = await asyncpg.connect(database.worker_dsn)
        try:
            assert await worker.fetchval("SELECT count(*) FROM feed") == 0
            assert await worker.fetchval("SELECT count(*) FROM outbox") > 0
        finally:
            await worker.close()


async def test_an_embedded_server_does_its_own_work() -> None:
    status, output, errors = await run("serve", "--embedded", "--no-work")
    assert (status, output) == (2, "")
    assert errors == "error: an embedded server works alone: leave out --no-work\n"
