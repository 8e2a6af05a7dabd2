"""Drives the engine: connections, the disk and the clock on one side, its decisions on the other.

One task works on one happening after the other, so that actions are carried out in the order the engine gave them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import structlog
from msgspec import Struct

from gate.sync.actions import Action, Close, FetchFeed, FetchSnapshot, HandIn, Instant, Send, SendScans
from gate.sync.backoff import Backoff
from gate.sync.doer import Doer, Listener
from gate.sync.engine import SyncEngine
from gate.sync.happenings import (
    Arrived,
    Banned,
    Connected,
    Disconnected,
    Fetched,
    HandedIn,
    Happening,
    Link,
    Loaded,
    Logged,
    Ticked,
)
from gate.sync.problems import DeviceRevoked, FeedTooOld
from gate.sync.ways import Way
from shared.clock import Clock, unix_ms
from shared.ids import EventId
from shared.problems import InputUnusable, TicketTokenError
from shared.sync.scan import SignedBatch
from shared.sync.wire import FeedFrame

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_QUEUE = 256
"""When full, the reader of the socket waits, and with it the server."""


class Remote(Protocol):
    """The server, as far as it answers."""

    @property
    def way(self) -> Way | None:
        """How the gate was linked last."""
        ...

    async def connect(self) -> Link:
        """Return a new connection, or raise a TicketTokenError."""
        ...

    async def fetch_feed(self, event: EventId, after: int) -> FeedFrame:
        """Return the feed entries that follow a position, or raise a TicketTokenError."""
        ...

    async def load_snapshot(self) -> int:
        """Fetch the snapshot, swap it in, and return the feed position it stands for, or raise a TicketTokenError."""
        ...

    async def hand_in(self, signed: SignedBatch) -> None:
        """Have a revoked gate's scans kept apart, or raise a TicketTokenError."""
        ...

    async def keep(self) -> None:
        """Do what is to be done beside the connection, until cancelled."""
        ...


class DriverParts(Struct, frozen=True, kw_only=True, eq=False):
    """What the driver works with.

    ``on_change`` is called when something may have changed; ``tick_s`` is how often the engine is told that time passed.
    """

    event: EventId
    engine: SyncEngine
    remote: Remote
    doer: Doer
    listener: Listener
    backoff: Backoff
    clock: Clock
    on_change: Callable[[], None]
    tick_s: float = 1.0


class SyncDriver:
    """Keeps one gate in step with its server until it is cancelled."""

    def __init__(self, parts: DriverParts) -> None:
        self._parts = parts
        self._happenings: asyncio.Queue[Happening] = asyncio.Queue(maxsize=_QUEUE)
        self._link: Link | None = None
        self._patient = False
        self._away = ""
        self._logged: tuple[int, float] | None = None
        self._logged_told = True

    async def run(self) -> None:
        """Run until cancelled.

        Raises, in a group:
            LogRestored: the log on this disk is behind what the server has of it.
            TicketTokenError: the disk failed.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_linked())
            group.create_task(self._parts.remote.keep())
            group.create_task(self._keep_ticking())
            group.create_task(self._keep_acting(group))

    def note_logged(self, logged: int, scans_per_minute: float) -> None:
        """The log has grown up to and including record ``logged``; never waits."""
        self._logged = (logged, scans_per_minute)
        if not self._logged_told:
            return
        # When the queue is full the next tick tells: the record itself is on the disk.
        with suppress(asyncio.QueueFull):
            self._happenings.put_nowait(Logged())
            self._logged_told = False

    @property
    def way(self) -> Way | None:
        """How the gate is linked, None while it is not."""
        return self._parts.remote.way if self._parts.engine.linked else None

    @property
    def hindrance(self) -> str | None:
        """What the last attempt to connect met with, as a problem's code; None once one succeeded."""
        return self._away or None

    @property
    def backlog(self) -> int:
        """How many records the server has not acknowledged, those included that the engine has not heard of yet."""
        logged = self._logged[0] if self._logged is not None else 0
        return max(self._parts.engine.backlog, logged - self._parts.engine.acked)

    async def _keep_linked(self) -> None:
        while True:
            self._patient = False
            await self._stay_linked()
            await asyncio.sleep(self._parts.backoff.next_s(patient=self._patient))

    async def _stay_linked(self) -> None:
        """Connect once and read until that connection ends."""
        try:
            link = await self._parts.remote.connect()
        except DeviceRevoked:
            self._patient = True
            await self._happenings.put(Banned())
            return
        except TicketTokenError as problem:
            self._tell_away(problem)
            return
        self._away = ""
        try:
            await self._happenings.put(Connected(link=link))
            async for frame in link.frames():
                await self._happenings.put(Arrived(link=link, frame=frame, at=self._now()))
        except InputUnusable as problem:
            _log.warning("link.broken", code=problem.code, message=str(problem))
        finally:
            await link.close()
        await self._happenings.put(Disconnected(link=link))

    def _tell_away(self, problem: TicketTokenError) -> None:
        # Once for each kind of trouble: a night without the server would fill the disk otherwise.
        if self._away != problem.code:
            self._away = problem.code
            _log.warning("link.away", code=problem.code, message=str(problem))

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(self._parts.tick_s)
            await self._happenings.put(Ticked())

    async def _keep_acting(self, group: asyncio.TaskGroup) -> None:
        engine = self._parts.engine
        while True:
            happening = await self._happenings.get()
            before = (engine.linked, engine.mode)
            actions = deque(await self._note(happening))
            while actions:
                actions.extend(await self._do(actions.popleft(), group))
            if before != (engine.linked, engine.mode):
                _log.info("link.state", linked=engine.linked, mode=engine.mode.value, backlog=engine.backlog)
            self._parts.on_change()

    async def _note(self, happening: Happening) -> list[Action]:
        """Tell the engine what happened."""
        engine, now = self._parts.engine, self._now()
        match happening:
            case Connected(link=link):
                self._link = link
                return engine.on_connected(now)
            case Disconnected(link=link):
                return self._let_go(link)
            case Arrived(link=link, frame=frame, at=at):
                return engine.on_frame(frame, at) if link is self._link else []
            case Ticked():
                return [*self._tell_logged(now), *engine.on_tick(now)]
            case Logged():
                self._logged_told = True
                return self._tell_logged(now)
            case _:
                return await self._note_end(happening, now)

    async def _note_end(self, happening: Fetched | Loaded | Banned | HandedIn, now: Instant) -> list[Action]:
        match happening:
            case Fetched():
                return self._on_fetched(happening, now)
            case Loaded():
                return await self._on_loaded(happening, now)
            case Banned():
                return self._parts.engine.on_banned()
            case HandedIn(upto=upto):
                return self._parts.engine.on_handed_in(upto)

    async def _do(self, action: Action, group: asyncio.TaskGroup) -> list[Action]:
        match action:
            case Send() | SendScans():
                return await self._parts.doer.send(action, self._link) if self._link is not None else []
            case Close():
                return await self._close(action)
            case FetchFeed(after=after):
                group.create_task(self._report(lambda: self._fetch_feed(after)))
            case FetchSnapshot():
                group.create_task(self._report(self._load_snapshot))
            case HandIn():
                group.create_task(self._report(lambda: self._hand_in(action)))
            case _:
                return await self._parts.doer.do(action)
        return []

    def _let_go(self, link: Link) -> list[Action]:
        if link is self._link:
            self._link = None
            self._parts.engine.on_disconnected()
        return []

    async def _close(self, action: Close) -> list[Action]:
        _log.warning("link.closed", code=action.code, message=action.message)
        self._patient = action.patient
        if self._link is not None:
            link = self._link
            self._let_go(link)
            await link.close()
        return []

    def _tell_logged(self, now: Instant) -> list[Action]:
        if self._parts.engine.linked:
            self._parts.backoff.reset()
        return self._parts.engine.on_logged(*self._logged, now) if self._logged is not None else []

    def _on_fetched(self, fetched: Fetched, now: Instant) -> list[Action]:
        if fetched.frame is None:
            return self._parts.engine.on_fetch_failed(now, too_old=fetched.too_old)
        return self._parts.engine.on_fetched(fetched.frame)

    async def _on_loaded(self, loaded: Loaded, now: Instant) -> list[Action]:
        if loaded.feed_seq is None:
            return self._parts.engine.on_snapshot_failed(now)
        await self._parts.listener.on_snapshot()
        return self._parts.engine.on_snapshot(loaded.feed_seq)

    async def _report(self, fetch: Callable[[], Awaitable[Happening]]) -> None:
        await self._happenings.put(await fetch())

    async def _fetch_feed(self, after: int) -> Happening:
        try:
            return Fetched(frame=await self._parts.remote.fetch_feed(self._parts.event, after))
        except FeedTooOld:
            return Fetched(frame=None, too_old=True)
        except TicketTokenError as problem:
            _log.warning("feed.not_fetched", code=problem.code, message=str(problem))
            return Fetched(frame=None)

    async def _load_snapshot(self) -> Happening:
        try:
            return Loaded(feed_seq=await self._parts.remote.load_snapshot())
        except TicketTokenError as problem:
            _log.warning("snapshot.not_loaded", code=problem.code, message=str(problem))
            return Loaded(feed_seq=None)

    async def _hand_in(self, action: HandIn) -> Happening:
        try:
            await self._parts.remote.hand_in(await self._parts.doer.read_batch(action))
        except TicketTokenError as problem:
            _log.warning("log.not_handed_in", code=problem.code, message=str(problem))
            return HandedIn(upto=None)
        return HandedIn(upto=action.upto)

    def _now(self) -> Instant:
        return Instant(wall_ms=unix_ms(self._parts.clock.now()), at_s=self._parts.clock.monotonic())
