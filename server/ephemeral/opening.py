"""Which store a server uses for what may vanish: Redis where one is named, else this process's memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from server.ephemeral.memory import MemoryEphemeral
from server.ephemeral.redis_door import RedisPlan
from server.ephemeral.redis_store import open_redis
from server.services.ports_ephemeral import Ephemeral, Meter
from shared.clock import Clock
from shared.problems import SettingsInvalid
from shared.settings import Secret

log = structlog.get_logger()


@asynccontextmanager
async def open_ephemeral(redis_url: Secret | None, clock: Clock, meter: Meter) -> AsyncIterator[Ephemeral]:
    """Open the store for the length of a block; ``meter`` is told what happens.

    Raises:
        SettingsInvalid: the address is none of a Redis.
    """
    if redis_url is None:
        yield MemoryEphemeral(clock)
        return
    if not redis_url.value.startswith(("redis://", "rediss://", "unix://")):
        raise SettingsInvalid("REDIS_URL begins with redis://, rediss:// or unix://.")

    def note(name: str) -> None:
        log.debug(name)
        meter(name)

    async with open_redis(RedisPlan(url=redis_url), clock, note) as store:
        yield store
