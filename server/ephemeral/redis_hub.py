"""One connection that listens for every subscription of this process, and says so where it may have missed something."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool

from server.ephemeral.fanout import Buffer, Fanout
from server.ephemeral.redis_door import REDIS_PROBLEMS, RedisPlan
from server.services.ports_ephemeral import Meter

Pause = Callable[[float], Awaitable[None]]

_SILENCE_S = 10.0
# Connecting and subscribing are several calls each, and nobody's request waits for them.
_CALLS = 4
_RETRY_S = 0.5
_WISHES = 1024

_log = structlog.get_logger()


class _Silent(Exception):
    """The server answered no ping: the connection is dead although nobody closed it."""


class RedisHub:
    """Subscriptions that survive the loss of the connection."""

    def __init__(self, plan: RedisPlan, pool: BlockingConnectionPool, meter: Meter, pause: Pause) -> None:
        self._patience_s = plan.timeout_s * _CALLS
        self._pool = pool
        self._meter = meter
        self._pause = pause
        self._fanout = Fanout()
        self._live: dict[str, asyncio.Event] = {}
        self._settled: set[Buffer] = set()
        self._unanswered: Counter[str] = Counter()
        self._wishes: asyncio.Queue[tuple[str, str]] | None = None
        self.tried = asyncio.Event()
        """Set once the first connection was made or failed."""

    async def run(self) -> None:
        """Listen until cancelled, connecting again as often as it takes."""
        while True:
            try:
                await self._listen()
            except* (*REDIS_PROBLEMS, _Silent) as problems:
                self._meter("ephemeral.subscription_lost")
                _log.warning("ephemeral.subscription_lost", problem=type(problems.exceptions[0]).__name__)
            self.tried.set()
            self._wishes = None
            for live in self._live.values():
                live.clear()
            await self._pause(_RETRY_S)

    async def open(self, channel: str, buffer: Buffer) -> None:
        """Add a listener and return once the server knows, or once it is clear that it is away."""
        if self._fanout.add(channel, buffer):
            self._live[channel] = asyncio.Event()
            await self._wish("SUBSCRIBE", channel)
        try:
            async with asyncio.timeout(self._patience_s if self._wishes is not None else 0):
                await self._live[channel].wait()
        except TimeoutError:
            _log.info("ephemeral.subscribed_while_away")
        self._settled.add(buffer)

    async def close(self, channel: str, buffer: Buffer) -> None:
        """Remove a listener."""
        self._settled.discard(buffer)
        if self._fanout.remove(channel, buffer):
            del self._live[channel]
            await self._wish("UNSUBSCRIBE", channel)

    async def _wish(self, command: str, channel: str) -> None:
        # Without a connection there is nobody to tell: the next one begins with all channels.
        if self._wishes is not None:
            await self._wishes.put((command, channel))

    async def _listen(self) -> None:
        connection: Any = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(self._patience_s):
                await connection.connect()
            wishes: asyncio.Queue[tuple[str, str]] = asyncio.Queue(_WISHES)
            self._unanswered.clear()
            for channel in self._fanout.topics():
                wishes.put_nowait(("SUBSCRIBE", channel))
            self._wishes = wishes
            self.tried.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(connection, wishes))
                group.create_task(self._receive(connection))
        finally:
            await connection.disconnect(nowait=True)

    async def _send(self, connection: Any, wishes: asyncio.Queue[tuple[str, str]]) -> None:
        while True:
            command, channel = await wishes.get()
            if command == "SUBSCRIBE":
                self._unanswered[channel] += 1
            await connection.send_command(command, channel, check_health=False)

    async def _receive(self, connection: Any) -> None:
        pinged = False
        while True:
            answer = await connection.read_response(timeout=_SILENCE_S, disconnect_on_error=False)
            if answer is not None:
                pinged = False
                self._take(answer)
            elif pinged:
                raise _Silent
            else:
                pinged = True
                await connection.send_command("PING", check_health=False)

    def _take(self, answer: object) -> None:
        # Replies of a subscribed connection, https://redis.io/docs/latest/develop/pubsub: [kind, channel, body or count].
        if not isinstance(answer, list) or len(answer) != 3:
            return
        kind, channel = answer[0], answer[1].decode()
        if kind == b"message":
            self._fanout.tell(channel, answer[2])
        elif kind == b"subscribe":
            self._unanswered[channel] -= 1
            if self._unanswered[channel] == 0:
                self._confirm(channel)

    def _confirm(self, channel: str) -> None:
        for buffer in self._fanout.listeners(channel):
            # A listener that was let in before this moment may have missed something.
            if buffer in self._settled:
                buffer.mark_lost()
        if channel in self._live:
            self._live[channel].set()
