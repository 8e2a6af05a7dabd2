"""The server's bus to a real broker, which notes what it posted, so that one can wait until exactly that has come."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from server.bus.rabbit import RabbitBus
from server.bus.rabbit_link import RabbitLink, RabbitPlan
from server.services.ports_bus import Posting
from shared.sync.broker import DOWN, FEED, decode_letter, decode_stream_frame
from shared.sync.wire import FeedFrame


class Notes:
    """How many letters each connection of a gate was sent, and how far the stream reaches."""

    def __init__(self) -> None:
        self.letters: Counter[UUID] = Counter()
        self.fed_to = 0

    def take(self, posting: Posting) -> None:
        """Note what the broker has confirmed."""
        if posting.exchange == DOWN:
            self.letters[decode_letter(posting.body).session] += 1
        elif posting.exchange == FEED:
            frame = decode_stream_frame(posting.body)
            if isinstance(frame, FeedFrame) and frame.entries:
                self.fed_to = frame.entries[-1].seq


class NotedBus(RabbitBus):
    """The program's own bus."""

    def __init__(self, plan: RabbitPlan, notes: Notes) -> None:
        self._links = RabbitLink(plan, "publishing"), RabbitLink(plan, "consuming")
        self._notes = notes
        super().__init__(plan, *self._links)

    async def post(self, posting: Posting) -> None:
        """Post, and note it."""
        await super().post(posting)
        self._notes.take(posting)

    async def close(self) -> None:
        """Let the connections go."""
        for link in self._links:
            await link.reset()
