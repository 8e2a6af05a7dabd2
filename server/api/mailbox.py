"""What waits to be sent to one gate: bounded, and honest about what did not fit."""

from __future__ import annotations

import asyncio
from collections import deque

from shared.ids import EventId
from shared.sync.wire import Bye, FeedFrame, ServerFrame, encode_frame

CAPACITY = 64
"""Frames that may wait for a slow gate; further feed frames are dropped, and the gate is told to fetch them."""


class Mailbox:
    """Frames for one link.

    Feed frames come from the hub and never make it wait; all else comes from the link's own tasks, which wait for room.
    A gate that could not be sent every feed frame gets, once all else is out, an empty one that names the feed's head:
    it sees that it lacks something and fetches it. Of a gate's links, in whatever process, the highest ``number`` counts.
    """

    def __init__(self, event: EventId, number: int = 0) -> None:
        self.event = event
        self.number = number
        self.check_due = asyncio.Event()
        self._waiting: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._live = False
        self._missed_to: int | None = None
        self._bye: Bye | None = None
        self._over = False

    def offer_feed(self, frame: bytes, to_seq: int) -> None:
        """Take a feed frame that ends at ``to_seq`` if the gate follows the feed live and there is room."""
        if self._over:
            return
        if not self._live or self._missed_to is not None or len(self._waiting) >= CAPACITY:
            self._missed_to = to_seq
            return
        self._push(frame)

    def hint(self, head: int) -> None:
        """Let a gate that says it lacks something know the feed's head, unless what it lacks is on its way."""
        if self._live and not self._waiting and self._missed_to is None:
            self._missed_to = head
            self._changed.set()

    def go_live(self) -> bool:
        """Follow the feed from here on; False when something went by since the last call, to be read up first."""
        missed, self._missed_to = self._missed_to, None
        self._live = missed is None
        return self._live

    async def put(self, frame: ServerFrame) -> None:
        """Take a frame once there is room; nothing is taken any more when the link is over."""
        await self.put_packed(encode_frame(frame))

    async def put_packed(self, frame: bytes) -> None:
        """Take a frame's bytes once there is room."""
        while len(self._waiting) >= CAPACITY and not self._over:
            self._room.clear()
            await self._room.wait()
        if not self._over:
            self._push(frame)

    async def get(self) -> bytes | None:
        """Return the next frame to send; None when the link is over."""
        while True:
            if self._bye is not None:
                bye, self._bye = self._bye, None
                return encode_frame(bye)
            if self._over:
                return None
            if self._waiting:
                self._room.set()
                return self._waiting.popleft()
            if self._live and self._missed_to is not None:
                head, self._missed_to = self._missed_to, None
                return encode_frame(FeedFrame(event=self.event, after=head, entries=[]))
            self._changed.clear()
            await self._changed.wait()

    def end(self, bye: Bye | None = None) -> None:
        """End the link, with a last word if there is one; the first to end it is right."""
        if self._over:
            return
        self._over, self._bye = True, bye
        self._changed.set()
        self._room.set()

    def _push(self, frame: bytes) -> None:
        self._waiting.append(frame)
        self._changed.set()
