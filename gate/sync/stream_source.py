"""Snapshots and feed ranges out of the event's stream, for a gate that is linked over the broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractIncomingMessage

from gate.sync.broker_channel import Consumption, as_link_problems, close_quietly, stream_time
from gate.sync.link_amqp import AmqpLink
from gate.sync.problems import NotOurServer, ServerAway
from shared.ids import EventId
from shared.sync.broker import Place, SnapshotBegin, SnapshotPart, StreamFrame, decode_stream_frame
from shared.sync.feed import SnapshotChunk, SnapshotManifest
from shared.sync.wire import FeedFrame

NEXT_WITHIN_S = 10.0
QUIET_S = 1.0
"""A stream that gives nothing for so long has nothing more."""

_AHEAD = 16

_Inbox = asyncio.Queue[AbstractIncomingMessage | None]


class StreamSource:
    """Reads the stream a second time, from where its newest snapshot begins; implements ``SnapshotSource``."""

    def __init__(self, inbox: _Inbox, snapshot: str) -> None:
        self._inbox = inbox
        self._snapshot = snapshot

    async def fetch_manifest(self, event: EventId) -> SnapshotManifest:
        """Return what the stream's newest snapshot consists of.

        Raises:
            ServerAway: it does not come.
            NotOurServer: it is another event's.
        """
        while True:
            frame = await _next(self._inbox, NEXT_WITHIN_S)
            if frame is None:
                raise ServerAway("The stream holds no snapshot.")
            if isinstance(frame, SnapshotBegin) and frame.manifest.snapshot == self._snapshot:
                break
        if frame.manifest.event != event:
            raise NotOurServer("The stream's snapshot is of another event.")
        return frame.manifest

    async def fetch_chunk(self, snapshot: str, number: int, chunk: SnapshotChunk) -> bytes:  # noqa: ARG002 - the port's form
        """Return one chunk's bytes, unchecked; they come in order.

        Raises:
            ServerAway: it does not come.
        """
        while True:
            frame = await _next(self._inbox, NEXT_WITHIN_S)
            if frame is None:
                raise ServerAway("The stream's snapshot ends too early.")
            if isinstance(frame, SnapshotPart) and frame.snapshot == snapshot and frame.n == number:
                return frame.body


@asynccontextmanager
async def open_snapshot(link: AmqpLink) -> AsyncIterator[StreamSource | None]:
    """Open the newest snapshot in the stream, None where the server named none.

    Raises:
        ServerAway: the broker failed.
    """
    place = link.place
    if place is None or place.snapshot is None or place.snapshot_ms is None:
        yield None
        return
    async with _reading(link, place, place.snapshot_ms) as inbox:
        yield StreamSource(inbox, place.snapshot)


async def read_range(link: AmqpLink, event: EventId, after: int) -> FeedFrame:
    """Return entries that follow a position, none when the stream has no more.

    Raises:
        ServerAway: the broker failed, or the stream does not reach back so far.
    """
    place = link.place
    if place is None:
        raise ServerAway("The server has not named a place in the stream yet.")
    async with _reading(link, place, place.from_ms) as inbox:
        while (frame := await _next(inbox, QUIET_S)) is not None:
            if not isinstance(frame, FeedFrame) or not frame.entries or frame.entries[-1].seq <= after:
                continue
            if frame.after > after:
                raise ServerAway("The stream does not reach back so far.")
            return frame
    return FeedFrame(event=event, after=after, entries=[])


@asynccontextmanager
async def _reading(link: AmqpLink, place: Place, from_ms: int | None) -> AsyncIterator[_Inbox]:
    inbox: _Inbox = asyncio.Queue()
    start = "first" if from_ms is None else stream_time(from_ms)
    wish = Consumption(queue=link.who.stream(place), ahead=_AHEAD, stream_from=start)
    with as_link_problems():
        channel = await link.open_reader(wish, inbox)
    try:
        yield inbox
    finally:
        await close_quietly(channel)


async def _next(inbox: _Inbox, within_s: float) -> StreamFrame | None:
    try:
        async with asyncio.timeout(within_s):
            message = await inbox.get()
    except TimeoutError:
        return None
    if message is None:
        raise ServerAway("The link broke while reading the stream.")
    with as_link_problems():
        await message.ack()
    return decode_stream_frame(message.body)
