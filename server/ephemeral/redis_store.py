"""The ephemeral store in Redis 7.0 or later, Valkey included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from msgspec.structs import replace

from server.ephemeral.fanout import BUFFERED, Buffer
from server.ephemeral.memory import MemoryEphemeral
from server.ephemeral.names import full_name
from server.ephemeral.redis_door import RedisDoor, RedisPlan, make_pool
from server.ephemeral.redis_hub import RedisHub
from server.ephemeral.redis_script import TAKE
from server.ephemeral.window import slice_ms
from server.services.ports_ephemeral import Allowance, EphemeralAway, Heard, Limit, Meter, Space
from shared.clock import Clock


class RedisEphemeral:
    """Shared by all processes; while Redis is away limits are counted here and caches are empty."""

    def __init__(self, plan: RedisPlan, door: RedisDoor, hub: RedisHub, spare: MemoryEphemeral, meter: Meter) -> None:
        self._prefix = plan.prefix
        self._door = door
        self._hub = hub
        self._spare = spare
        self._meter = meter
        self._take = door.client.register_script(TAKE)

    async def take(self, space: Space, key: str, limit: Limit) -> Allowance:
        """Count one call against a limit; on this process's own count while Redis is away."""
        # A limit that was changed starts anew, because its slices have another length.
        name = f"{self._name(space, 'limit', key)}:{limit.calls}:{limit.window_ms}"
        numbers = [limit.calls, limit.window_ms, slice_ms(limit)]
        try:
            answer = await self._door.ask(lambda: self._take(keys=[name], args=numbers))
        except EphemeralAway:
            self._meter("ephemeral.limit_fallback")
            return replace(await self._spare.take(space, key, limit), process_only=True)
        allowed, remaining, retry_ms, reset_ms = answer
        return Allowance(allowed=bool(allowed), remaining=remaining, retry_s=retry_ms / 1000, reset_s=reset_ms / 1000)

    async def get(self, space: Space, key: str) -> bytes | None:
        """Return a cached value, None when there is none or Redis is away."""
        name = self._name(space, "cache", key)
        try:
            value = await self._door.ask(lambda: self._door.client.get(name))
        except EphemeralAway:
            self._meter("ephemeral.cache_skipped")
            return None
        return value if isinstance(value, bytes) else None

    async def put(self, space: Space, key: str, value: bytes, ttl: timedelta) -> None:
        """Cache a value; do nothing while Redis is away."""
        name = self._name(space, "cache", key)
        try:
            await self._door.ask(lambda: self._door.client.set(name, value, px=ttl))
        except EphemeralAway:
            self._meter("ephemeral.cache_skipped")

    async def forget(self, space: Space, key: str) -> None:
        """Drop a cached value.

        Raises:
            EphemeralAway: Redis is away and keeps the value until its time is over.
        """
        name = self._name(space, "cache", key)
        await self._door.ask(lambda: self._door.client.delete(name))

    async def publish(self, space: Space, topic: str, body: bytes) -> None:
        """Tell whoever listens, in all processes; nobody while Redis is away."""
        name = self._name(space, "topic", topic)
        try:
            await self._door.ask(lambda: self._door.client.publish(name, body))
        except EphemeralAway:
            self._meter("ephemeral.publish_skipped")

    @asynccontextmanager
    async def subscribe(self, space: Space, topic: str) -> AsyncIterator[AsyncIterator[Heard]]:
        """Listen to a topic inside a block."""
        name, buffer = self._name(space, "topic", topic), Buffer(BUFFERED)
        try:
            await self._hub.open(name, buffer)
            yield buffer
        finally:
            await self._hub.close(name, buffer)

    def _name(self, space: Space, kind: str, name: str) -> str:
        return f"{self._prefix}:{full_name(space, kind, name)}"


async def _first(wanted: Awaitable[object], listening: asyncio.Task[None]) -> None:
    """Wait for what is wanted, unless the listening ends before, which it only does by a fault of its own."""
    waiting = asyncio.ensure_future(wanted)
    try:
        await asyncio.wait({waiting, listening}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if listening.done():
        listening.result()


@asynccontextmanager
async def open_redis(plan: RedisPlan, clock: Clock, meter: Meter) -> AsyncIterator[RedisEphemeral]:
    """Open the store for the length of a block; Redis may come and go meanwhile, and need not be there yet."""
    pool = make_pool(plan)
    door = RedisDoor(plan, pool, clock, meter)
    hub = RedisHub(plan, pool, meter, asyncio.sleep)
    listening = asyncio.create_task(hub.run(), name="ephemeral subscriptions")
    try:
        await _first(hub.tried.wait(), listening)
        yield RedisEphemeral(plan, door, hub, MemoryEphemeral(clock), meter)
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await pool.aclose()
