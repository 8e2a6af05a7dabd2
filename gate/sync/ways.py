"""Two ways to one server: the broker while it can be had, the WebSocket while not, and back again without losing a record.

A change of ways is a new connection to everybody else: the engine introduces itself anew and goes on by its positions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

import structlog
from msgspec import Struct

from gate.sync.happenings import Link
from gate.sync.problems import GateRefused
from shared.problems import InputUnusable, TicketTokenError

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Way(StrEnum):
    """How a gate is linked."""

    BROKER = "broker"
    WEBSOCKET = "websocket"


class BrokerLink(Link, Protocol):
    """A link over the broker."""

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        ...


class BrokerDialler(Protocol):
    """Connects over the broker."""

    async def connect(self) -> BrokerLink:
        """Return a new connection, or raise a TicketTokenError."""
        ...


class Dialler(Protocol):
    """Connects over a WebSocket."""

    async def connect(self) -> Link:
        """Return a new connection, or raise a TicketTokenError."""
        ...


FindBroker = Callable[[bool], Awaitable[BrokerDialler | None]]
"""Returns how to reach the broker, None where there is none; with True a new account is asked for first."""


class WayTimes(Struct, frozen=True, kw_only=True):
    """When the broker is tried again: after the first pause, then twice as long each time, up to the longest.

    A broker link that lasted less than ``short_s`` counts as a failure, or a gate would go to and fro for ever.
    """

    first_s: float = 5.0
    longest_s: float = 120.0
    short_s: float = 30.0


class Ways:
    """Connects by the better way that works. ``keep`` runs beside it and looks for the better one while on the other."""

    def __init__(self, find_broker: FindBroker, socket: Dialler, times: WayTimes) -> None:
        self._find_broker = find_broker
        self._socket = socket
        self._times = times
        self._pause_s = times.first_s
        self._ready: BrokerLink | None = None
        self._present: Link | None = None
        self._began_s = 0.0
        self._not_before_s = 0.0
        self._lacking = False
        self._second_best = asyncio.Event()
        self.way: Way | None = None

    @property
    def present(self) -> Link | None:
        """The newest connection, which may have ended."""
        return self._present

    async def connect(self) -> Link:
        """Return a new connection, not yet welcomed.

        Raises:
            TicketTokenError: neither way leads to the server; it says what the WebSocket met with.
        """
        broker = await self._take_ready() or await self._try_broker()
        self._began_s = _now_s()
        if broker is not None:
            return self._note(Way.BROKER, broker)
        link = await self._socket.connect()
        self._second_best.set()
        return self._note(Way.WEBSOCKET, link)

    async def keep(self) -> None:
        """While the link is a WebSocket, try the broker now and then and change over once it answers; until cancelled."""
        renew = False
        while True:
            await self._second_best.wait()
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * 2, self._times.longest_s)
            if self.way is not Way.WEBSOCKET:
                self._second_best.clear()
                continue
            renewed = renew or self._lacking
            try:
                found = await self._dial(renew=renewed)
            except TicketTokenError as problem:
                # The broker learns a new account a moment later: asking for yet another would never let it come to that.
                refused = isinstance(problem, GateRefused)
                self._lacking, renew = self._lacking and not refused, refused and not renewed
                continue
            self._lacking, renew = found is None, False
            if found is not None:
                await self._change_over(found)

    async def close(self) -> None:
        """Let go of a connection nobody has taken yet."""
        ready, self._ready = self._ready, None
        if ready is not None:
            await ready.close()

    async def _change_over(self, found: BrokerLink) -> None:
        older, self._ready = self._ready, found
        if older is not None:
            await older.close()
        self._second_best.clear()
        _log.info("link.way", way=Way.BROKER.value)
        if self._present is not None and self.way is Way.WEBSOCKET:
            # Whoever reads it sees its end and connects anew.
            await self._present.close()

    async def _take_ready(self) -> BrokerLink | None:
        ready, self._ready = self._ready, None
        if ready is not None and not ready.is_open:
            await ready.close()
            return None
        return ready

    async def _try_broker(self) -> BrokerLink | None:
        now_s = _now_s()
        if self._was_short(now_s):
            self._not_before_s = now_s + self._pause_s
        if now_s < self._not_before_s:
            return None
        try:
            found = await self._dial(renew=False)
        except TicketTokenError as problem:
            _log.info("link.broker_away", code=problem.code)
            # Until then only `keep` tries: a broker that does not answer would hold every connection up.
            self._not_before_s = now_s + self._pause_s
            return None
        self._lacking = found is None
        return found

    async def _dial(self, *, renew: bool) -> BrokerLink | None:
        try:
            dialler = await self._find_broker(renew)
        except InputUnusable as problem:
            _log.warning("link.broker_unusable", message=str(problem))
            return None
        return None if dialler is None else await dialler.connect()

    def _was_short(self, now_s: float) -> bool:
        """Tell whether the last link was the broker's and did not last; one that did starts the pauses anew."""
        was_broker, self.way = self.way is Way.BROKER, None
        lasted_s = now_s - self._began_s
        if was_broker and lasted_s >= self._times.short_s:
            self._pause_s = self._times.first_s
        return was_broker and lasted_s < self._times.short_s

    def _note(self, way: Way, link: Link) -> Link:
        self.way, self._present = way, link
        return link


def _now_s() -> float:
    return asyncio.get_running_loop().time()
