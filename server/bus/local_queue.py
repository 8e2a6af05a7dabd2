"""A queue of the in-process bus: what waits in it, and whoever waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime

from msgspec import Struct

from server.bus.problems import BusFull
from server.bus.topology import Queue


class Death(Struct, frozen=True, kw_only=True):
    """Where, why and when a message died."""

    queue: str
    reason: str
    at: datetime


class Letter(Struct, frozen=True, kw_only=True):
    """One message inside the bus."""

    message_id: str
    key: str
    body: bytes
    returns: int = 0
    """How often it was handed out and came back."""
    death: Death | None = None


class LocalQueue:
    """Messages in the order they came; one that comes back goes to the front."""

    def __init__(self, queue: Queue) -> None:
        self.name = queue.name
        self.deliveries = int(queue.argument("x-delivery-limit") or 0)
        self.dead_exchange = queue.argument("x-dead-letter-exchange")
        self._most = int(queue.argument("x-max-length") or 0)
        self._letters: deque[Letter] = deque()
        self._filled = asyncio.Event()

    def check_room(self) -> None:
        """Do nothing if there is room for one more.

        Raises:
            BusFull: there is not.
        """
        if len(self._letters) >= self._most:
            raise BusFull(f"The queue {self.name} is full: see why nothing reads it, then try again.")

    def put(self, letter: Letter) -> None:
        """Add a message at the end."""
        self._letters.append(letter)
        self._filled.set()

    def put_back(self, letter: Letter) -> None:
        """Return a message to the front."""
        self._letters.appendleft(letter)
        self._filled.set()

    async def take(self) -> Letter:
        """Wait for the first message and remove it."""
        while not self._letters:
            self._filled.clear()
            await self._filled.wait()
        return self._letters.popleft()

    def look(self) -> list[Letter]:
        """Return all messages, leaving them."""
        return list(self._letters)

    def remove(self, letter: Letter) -> None:
        """Remove one message that `look` returned."""
        self._letters.remove(letter)
