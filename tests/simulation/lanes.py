"""Lanes on which evenings are played side by side: a database and a virtual host for each, so that none meets another."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from msgspec import Struct

from server.db import bootstrap
from server.db.pool import PgDatabase, open_database
from tests.conftest import Databases
from tests.services.plugin import Broker, VirtualHost, open_vhost
from tests.services.private import PrivateService


class Lane(Struct, frozen=True, kw_only=True, eq=False):
    """Where one evening after the other is played."""

    db: PgDatabase
    vhost: VirtualHost


class Lanes(Struct, frozen=True, kw_only=True, eq=False):
    """All lanes, and the broker they share."""

    service: PrivateService
    lanes: list[Lane]


@asynccontextmanager
async def open_lanes(postgres: str, database: Databases, service: PrivateService, count: int) -> AsyncIterator[Lanes]:
    """Open so many lanes, with copies of a database that nobody uses."""
    running = service.running
    broker = Broker(amqp_url=running.url, api_url=running.api_url)
    async with AsyncExitStack() as stack:
        lanes = []
        for _ in range(count):
            copy = await stack.enter_async_context(copy_of(postgres, database))
            db = await stack.enter_async_context(open_database(copy.app_dsn, copy.worker_dsn))
            lanes.append(Lane(db=db, vhost=await stack.enter_async_context(open_vhost(broker))))
        yield Lanes(service=service, lanes=lanes)


@asynccontextmanager
async def copy_of(postgres: str, database: Databases) -> AsyncIterator[Databases]:
    """Give a copy of a database that nobody is using, as it is now."""
    name = f"tt_{secrets.token_hex(6)}"
    source = urlsplit(database.owner_dsn).path.lstrip("/")
    await bootstrap.create_database(postgres, name, source)
    yield Databases(
        owner_dsn=database.owner_dsn.replace(source, name),
        app_dsn=database.app_dsn.replace(source, name),
        worker_dsn=database.worker_dsn.replace(source, name),
    )
    await bootstrap.drop_database(postgres, name)
