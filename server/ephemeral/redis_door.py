"""The way to Redis: one timeout for everything, and a pause after a failure so that its absence does not slow every call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from msgspec import Struct
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.services.ports_ephemeral import EphemeralAway, Meter
from shared.clock import Clock
from shared.settings import Secret

T = TypeVar("T")

REDIS_PROBLEMS = (RedisError, OSError, TimeoutError)
"""What the client may raise while the store or the network fails."""

_FIRST_PAUSE_S = 0.05

_log = structlog.get_logger()


class RedisPlan(Struct, frozen=True, kw_only=True):
    """How to reach Redis and how long to wait for it."""

    url: Secret
    prefix: str = "tt"
    """Begins every key and channel, so that several installations can share one Redis."""
    timeout_s: float = 0.25
    """For one call, connecting included."""
    longest_pause_s: float = 1.0
    """How long nobody asks again while failure follows failure; after a first one it is a twentieth of a second."""
    most_connections: int = 32


def make_pool(plan: RedisPlan) -> BlockingConnectionPool:
    """Return a pool that has connected to nothing yet."""
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        plan.url.value,
        max_connections=plan.most_connections,
        timeout=plan.timeout_s,
        # Each use has a timeout of its own. With this one the client wraps every write in asyncio.wait_for, which in
        # Python 3.11 can swallow a cancellation.
        socket_timeout=None,
        socket_connect_timeout=plan.timeout_s,
        # One more try, at once: a pooled connection may have died with a restarted server.
        retry=Retry(NoBackoff(), 1),
        protocol=2,
        client_name="tickettoken",
        # Otherwise every new connection reads the client's own package metadata from disk, in the event loop.
        driver_info=None,
    )
    return pool


class RedisDoor:
    """Lets calls through to Redis, or says at once that it is away.

    After a failure one call at a time finds out whether Redis is back, after a pause that doubles each time: a hiccup costs
    little, and an outage costs hardly anybody the timeout.
    """

    def __init__(self, plan: RedisPlan, pool: BlockingConnectionPool, clock: Clock, meter: Meter) -> None:
        self.client = Redis(connection_pool=pool)
        self._plan = plan
        self._clock = clock
        self._meter = meter
        self._failures = 0
        self._shut_until_s = float("-inf")
        self._probing = False

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what the call returns.

        Raises:
            EphemeralAway: Redis failed, is too slow, or did so a moment ago.
        """
        known_failures = self._failures
        if known_failures and (self._probing or self._clock.monotonic() < self._shut_until_s):
            raise EphemeralAway("Redis is away: see that it runs, or try again in a moment.")
        self._probing = known_failures > 0
        try:
            async with asyncio.timeout(self._plan.timeout_s):
                answer = await call()
        except REDIS_PROBLEMS as exc:
            self._shut(known_failures, exc)
            raise EphemeralAway(
                f"Redis is away ({type(exc).__name__}): see that it runs and REDIS_URL is right."
            ) from exc
        finally:
            if known_failures:
                self._probing = False
        if self._failures and self._failures == known_failures:
            self._failures = 0
            _log.info("ephemeral.redis_back")
        return answer

    def _shut(self, known_failures: int, exc: Exception) -> None:
        # Calls that were under way together fail together, and count once.
        if self._failures != known_failures:
            return
        self._failures += 1
        pause_s = min(self._plan.longest_pause_s, _FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10))
        self._shut_until_s = self._clock.monotonic() + pause_s
        self._meter("ephemeral.redis_failed")
        if self._failures == 1:
            _log.warning("ephemeral.redis_away", problem=type(exc).__name__)
