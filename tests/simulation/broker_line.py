"""A simulated gate's real link to a real broker: what came over it up to a certain letter and feed position can be collected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import UUID

from aio_pika.abc import AbstractIncomingMessage
from msgspec.structs import replace

from gate.sync.broker_channel import BrokerTarget, as_link_problems, connect
from gate.sync.link_amqp import AmqpLink, BrokerSelf
from shared.sync.broker import FEED, Place
from shared.sync.wire import FeedFrame, GateFrame, ServerFrame, Welcome

_PATIENCE_S = 60.0
_FEED_WITHIN_S = 15.0


class SimLink(AmqpLink):
    """The gate's own link, which reads the stream from its beginning: the evening's clock is not the broker's."""

    from_feed = False
    """Whether the frame read last came out of the stream."""

    @property
    def session(self) -> UUID:
        """What letters for this connection carry."""
        return self._session

    def _read(self, message: AbstractIncomingMessage) -> ServerFrame | None:
        self.from_feed = message.exchange == FEED
        return super()._read(message)

    async def _follow(self, place: Place) -> None:
        await super()._follow(replace(place, from_ms=None))


class Line:
    """A link and what came over it, letters and feed apart: which of the two is quicker is chance."""

    def __init__(self, link: SimLink) -> None:
        self._link = link
        self._letters: list[ServerFrame] = []
        self._feed: list[ServerFrame] = []
        self._letters_come = 0
        self._fed_to = 0
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.following = False
        self.stalled = False
        """Whether the stream did not give what is in it, and so the link is to be given up."""

    @property
    def session(self) -> UUID:
        """What letters for this connection carry."""
        return self._link.session

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        return self._reader.done()

    async def send(self, frame: GateFrame) -> None:
        """Send a frame and return once the broker has it; raises ServerAway."""
        await self._link.send(frame)

    async def letters(self, count: int) -> list[ServerFrame]:
        """Return letters not returned before, once so many have come over this link in all, or it ended."""
        await self._wait_for(lambda: self._letters_come >= count)
        come, self._letters = self._letters, []
        return come

    async def feed(self, upto: int) -> list[ServerFrame]:
        """Return frames of the feed not returned before, once those up to a position have come, or the link ended.

        On a busy machine a stream's reader was seen to be given nothing for a minute though all was written; whose doing
        that is, is not known. Such a link counts as broken after a while: the gate then reads the stream anew.
        """
        try:
            await self._wait_for(lambda: self._fed_to >= upto, _FEED_WITHIN_S)
        except TimeoutError:
            self.stalled = True
        come, self._feed = self._feed, []
        return come

    async def until_ended(self) -> None:
        """Return once the link has noticed that it is broken."""
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.wait({self._reader})

    async def close(self) -> None:
        """End the link."""
        await self._link.close()
        await self._reader

    async def _wait_for(self, come: Callable[[], bool], within_s: float = _PATIENCE_S) -> None:
        async with asyncio.timeout(within_s):
            while not come() and not self.ended:
                self._news.clear()
                await self._news.wait()

    async def _read(self) -> None:
        try:
            async for frame in self._link.frames():
                self._take(frame)
                self._news.set()
        finally:
            # Whoever waits looks again when this task is done.
            asyncio.get_running_loop().call_soon(self._news.set)

    def _take(self, frame: ServerFrame) -> None:
        if not self._link.from_feed:
            self._letters.append(frame)
            self._letters_come += 1
            self.following = self.following or isinstance(frame, Welcome)
            return
        self._feed.append(frame)
        if isinstance(frame, FeedFrame) and frame.entries:
            self._fed_to = max(self._fed_to, frame.entries[-1].seq)


async def open_line(target: BrokerTarget, who: BrokerSelf) -> Line:
    """Connect a gate to the broker, under its own account; raises what a link may raise."""
    with as_link_problems():
        connection = await connect(target)
        link = SimLink(connection, who, target.account)
        try:
            await link.open()
        except BaseException:
            await link.close()
            raise
    return Line(link)
