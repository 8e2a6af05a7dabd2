"""Watching events: figures are read once for however many people watch, in however many processes, and told to all of them.

Whichever process is allowed to (a limit of one reading in a while, shared by all) reads an event's figures and publishes them;
every process with viewers of the event listens. While what they share is away each process reads for its own viewers.
A viewer is never buffered for: whoever is slow gets the newest state next, and what lies between is in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakValueDictionary

import structlog

from server.services.context import Context
from server.services.live_figures import read_live
from server.services.live_state import FORM, LiveState, make_state, pack_state, unpack_state, write_event
from server.services.live_views import Figures
from server.services.ports_ephemeral import Limit, Said
from server.services.pulse import Beat, no_beat
from shared.ids import EventId, TenantId
from shared.problems import TicketTokenError, Unavailable

MOST_VIEWERS = 3000
"""Viewers of one process."""
EVERY = timedelta(milliseconds=1000)
"""How often figures are read while somebody watches, unless reading takes long."""

_SHARE = 4
"""Reading takes at most one part in so many of the time."""
_SLOWEST = timedelta(seconds=30)
_KEPT = timedelta(seconds=2)
_RETRY_S = 2.0
_BEAT_S = 5.0

Read = Callable[[Context, TenantId, EventId], Awaitable[Figures]]

log = structlog.get_logger()


class TooManyViewers(Unavailable):
    """As many people watch as one server bears."""

    code = "too_many_viewers"


class _Channel:
    """One event's viewers here, and what they have been told."""

    def __init__(self, tenant: TenantId, event: EventId) -> None:
        self.tenant = tenant
        self.event = event
        self.viewers = 0
        self.task: asyncio.Task[None] | None = None
        self.state: LiveState | None = None
        self.news = asyncio.Event()
        self.written: dict[str, bytes] = {}

    def offer(self, state: LiveState) -> None:
        """Take a newer state and wake whoever waits for one."""
        if self.state is not None and state.id == self.state.id:
            return
        self.state, self.written = state, {}
        self.wake()

    def wake(self) -> None:
        """Have whoever waits look again."""
        self.news.set()
        self.news = asyncio.Event()


class Watch:
    """One viewer's place."""

    def __init__(self, desk: LiveDesk, channel: _Channel) -> None:
        self._desk = desk
        self._channel = channel

    async def next(self, known: str) -> tuple[str, bytes] | None:
        """Wait for another state than the one of this id; return its id and what is to be sent, None when the server stops."""
        channel = self._channel
        while not self._desk.closing:
            if channel.state is not None and channel.state.id != known:
                return channel.state.id, self._write(channel.state, known)
            await channel.news.wait()
        return None

    def _write(self, state: LiveState, known: str) -> bytes:
        # Nearly all viewers have the same state: what they are sent is made once.
        written = self._channel.written.get(known)
        if written is None:
            written = write_event(state, known)
            if len(self._channel.written) < 64:
                self._channel.written[known] = written
        return written


class LiveDesk:
    """All viewers of this process."""

    def __init__(
        self, context: Context, read: Read = read_live, every: timedelta = EVERY, most: int = MOST_VIEWERS
    ) -> None:
        self._context = context
        self._read = read
        self._every = every
        self._most = most
        self._channels: dict[EventId, _Channel] = {}
        self._turns: WeakValueDictionary[EventId, asyncio.Lock] = WeakValueDictionary()
        self._group: asyncio.TaskGroup | None = None
        self._running = asyncio.Event()
        self.closing = False
        self.readings = 0
        """How often this process read figures."""

    @property
    def viewers(self) -> int:
        """Return how many people watch by way of this process."""
        return sum(channel.viewers for channel in self._channels.values())

    async def run(self, beat: Beat = no_beat) -> None:
        """Keep viewers informed until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._running.set()
            try:
                while True:
                    beat()
                    await asyncio.sleep(_BEAT_S)
            finally:
                self._group = None
                self._running.clear()

    @asynccontextmanager
    async def watch(self, tenant: TenantId, event: EventId) -> AsyncIterator[Watch]:
        """Take a viewer in for the length of a block.

        Raises:
            EventUnknown: the tenant has no such event.
            TooManyViewers: as many watch as one server bears.
        """
        if self.viewers >= self._most:
            raise TooManyViewers("Too many people watch by way of this server: try again in a minute.")
        first = await self.current(tenant, event)
        await self._running.wait()
        channel = self._channels.setdefault(event, _Channel(tenant, event))
        channel.viewers += 1
        if channel.state is None:
            channel.offer(first)
        if channel.task is None and self._group is not None:
            channel.task = self._group.create_task(self._follow(channel), name=f"live {event}")
        try:
            yield Watch(self, channel)
        finally:
            channel.viewers -= 1
            if channel.viewers == 0 and self._channels.get(event) is channel:
                del self._channels[event]
                if channel.task is not None:
                    channel.task.cancel()

    async def current(self, tenant: TenantId, event: EventId) -> LiveState:
        """Return an event's state of the last seconds, read anew if nobody watches it.

        Raises:
            EventUnknown: the tenant has no such event.
        """
        # A crowd that comes at once, as after a restart, waits for one reading.
        async with self._turns.setdefault(event, asyncio.Lock()):
            channel = self._channels.get(event)
            if channel is not None and channel.tenant == tenant and channel.state is not None:
                return channel.state
            kept = await self._context.ephemeral.get(tenant, _name(event))
            found = None if kept is None else unpack_state(kept)
            return found if found is not None else await self._make(tenant, event)

    def close(self) -> None:
        """Let all viewers go: the server is stopping."""
        self.closing = True
        for channel in self._channels.values():
            channel.wake()

    async def _follow(self, channel: _Channel) -> None:
        name = _name(channel.event)
        async with self._context.ephemeral.subscribe(channel.tenant, name) as heard, asyncio.TaskGroup() as group:
            group.create_task(self._read_for_ever(channel))
            async for message in heard:
                # What was missed does not matter: the next state is whole.
                state = unpack_state(message.body) if isinstance(message, Said) else None
                if state is not None:
                    channel.offer(state)

    async def _read_for_ever(self, channel: _Channel) -> None:
        pause = self._every
        while True:
            wait_s = await self._take_turn(channel, pause)
            if wait_s is not None:
                await asyncio.sleep(max(wait_s, 0.02))
                continue
            begun = self._context.clock.monotonic()
            try:
                channel.offer(await self._make(channel.tenant, channel.event))
            except TicketTokenError as problem:
                log.warning("live.unread", event_id=str(channel.event), code=problem.code)
                await asyncio.sleep(_RETRY_S)
            took = timedelta(seconds=self._context.clock.monotonic() - begun)
            pause = min(max(self._every, took * _SHARE), _SLOWEST)

    async def _take_turn(self, channel: _Channel, pause: timedelta) -> float | None:
        """Return None if it is this process's turn to read, else after how many seconds to ask again."""
        limit = Limit(calls=1, window=timedelta(milliseconds=pause // timedelta(milliseconds=1)))
        allowance = await self._context.ephemeral.take(channel.tenant, _name(channel.event), limit)
        return None if allowance.allowed else allowance.retry_s

    async def _make(self, tenant: TenantId, event: EventId) -> LiveState:
        """Read an event's figures and tell all processes."""
        self.readings += 1
        state = make_state(await self._read(self._context, tenant, event))
        body = pack_state(state)
        await self._context.ephemeral.put(tenant, _name(event), body, _KEPT)
        await self._context.ephemeral.publish(tenant, _name(event), body)
        return state


def _name(event: EventId) -> str:
    # Servers of two releases, side by side during an upgrade, may disagree about what figures are: each hears its own kind.
    return f"live:{FORM}:{event}"
