"""Handing messages to the listeners inside this process, each with a bounded buffer of its own."""

from __future__ import annotations

import asyncio
from collections import deque

from server.services.ports_ephemeral import Heard, Missed, Said

BUFFERED = 256


class Buffer:
    """What one listener has yet to read; when it is full the oldest message gives way and is counted."""

    def __init__(self, size: int = BUFFERED) -> None:
        self._waiting: deque[Said] = deque()
        self._size = size
        self._missed = 0
        self._lost = False
        self._filled = asyncio.Event()

    def offer(self, said: Said) -> None:
        """Add a message."""
        if len(self._waiting) >= self._size:
            self._waiting.popleft()
            self._missed += 1
        self._waiting.append(said)
        self._filled.set()

    def mark_lost(self) -> None:
        """Note that an unknown number of messages went by; what is buffered is older and goes with them."""
        self._waiting.clear()
        self._lost = True
        self._filled.set()

    def __aiter__(self) -> Buffer:
        """Return itself."""
        return self

    async def __anext__(self) -> Heard:
        """Wait for the next message, or for the news that some are missing."""
        while not self._waiting and not self._missed and not self._lost:
            self._filled.clear()
            await self._filled.wait()
        if self._missed or self._lost:
            marker = Missed(count=None if self._lost else self._missed)
            self._missed, self._lost = 0, False
            return marker
        return self._waiting.popleft()


class Fanout:
    """The listeners of each topic."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Buffer]] = {}

    def topics(self) -> list[str]:
        """Return the topics somebody listens to."""
        return list(self._topics)

    def listeners(self, topic: str) -> list[Buffer]:
        """Return the buffers of a topic's listeners."""
        return list(self._topics.get(topic, ()))

    def add(self, topic: str, buffer: Buffer) -> bool:
        """Add a listener and return True if it is the topic's first."""
        first = topic not in self._topics
        self._topics.setdefault(topic, set()).add(buffer)
        return first

    def remove(self, topic: str, buffer: Buffer) -> bool:
        """Remove a listener and return True if it was the topic's last."""
        left = self._topics[topic]
        left.discard(buffer)
        if left:
            return False
        del self._topics[topic]
        return True

    def tell(self, topic: str, body: bytes) -> None:
        """Give a message to every listener of a topic."""
        for buffer in self._topics.get(topic, ()):
            buffer.offer(Said(body=body))
