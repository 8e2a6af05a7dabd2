"""A simulated gate's real link to a real broker: everything that came over it by a moment can be collected."""

from __future__ import annotations

import asyncio
from uuid import UUID

from msgspec.structs import replace

from gate.sync.broker_channel import BrokerTarget, connect
from gate.sync.link_amqp import AmqpLink, BrokerSelf
from shared.sync.broker import Place
from shared.sync.wire import FeedFrame, GateFrame, Pong, ServerFrame, Welcome

MARKS_FROM = 1 << 40
"""Feed positions no evening reaches: a frame that names one marks a place in the stream."""

_MARKS_BELOW_MS = 1_000_000
_PATIENCE_S = 30.0


class SimLink(AmqpLink):
    """The gate's own link, which reads the stream from its beginning: the evening's clock is not the broker's."""

    @property
    def session(self) -> UUID:
        """What letters for this connection carry."""
        return self._session

    async def _follow(self, place: Place) -> None:
        await super()._follow(replace(place, from_ms=None))


class Line:
    """A link and what came over it; marks tell that everything before them has come."""

    def __init__(self, link: SimLink) -> None:
        self._link = link
        self._come: list[ServerFrame] = []
        self._marks: dict[int, asyncio.Event] = {}
        self._reader = asyncio.create_task(self._read())
        self.following = False

    @property
    def session(self) -> UUID:
        """What letters for this connection carry."""
        return self._link.session

    async def send(self, frame: GateFrame) -> None:
        """Send a frame and return once the broker has it; raises ServerAway."""
        await self._link.send(frame)

    def expect(self, mark: int) -> None:
        """Begin to look for a mark that is about to be posted."""
        self._marks[mark] = asyncio.Event()

    async def collect(self, mark: int) -> list[ServerFrame]:
        """Wait for a mark, or the end of the link, and return what came and was not returned before."""
        seen = asyncio.create_task(self._marks[mark].wait())
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.wait({seen, self._reader}, return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
        del self._marks[mark]
        come, self._come = self._come, []
        return come

    async def close(self) -> None:
        """End the link."""
        await self._link.close()
        await self._reader

    async def _read(self) -> None:
        async for frame in self._link.frames():
            mark = _mark_of(frame)
            if mark is None:
                self._come.append(frame)
                self.following = self.following or isinstance(frame, Welcome)
            elif mark in self._marks:
                self._marks[mark].set()


def make_letter_mark(mark: int) -> Pong:
    """Return the mark in a gate's own queue."""
    return Pong(sent_ms=mark, server_ms=0)


async def open_line(target: BrokerTarget, who: BrokerSelf) -> Line:
    """Connect a gate to the broker, under its own account."""
    connection = await connect(target)
    link = SimLink(connection, who, target.account)
    await link.open()
    return Line(link)


def _mark_of(frame: ServerFrame) -> int | None:
    if isinstance(frame, Pong) and frame.sent_ms < _MARKS_BELOW_MS:
        return frame.sent_ms
    if isinstance(frame, FeedFrame) and frame.after >= MARKS_FROM:
        return frame.after - MARKS_FROM
    return None
