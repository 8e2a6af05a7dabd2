"""What may vanish at any moment: rate limits, caches and fan-out, as a Protocol.

Every name is in a tenant's own space; ``None`` is the space of the whole installation, for what happens before anybody is
known. Names hold ids, never tokens, codes or addresses of people.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from msgspec import Struct

from shared.ids import TenantId
from shared.problems import Internal, Unavailable

Space = TenantId | None
"""Whose name it is; None is nobody's in particular."""

Meter = Callable[[str], None]
"""Takes the name of a thing that just happened, to be counted, such as ``ephemeral.limit_fallback``."""


class EphemeralAway(Unavailable):
    """The store is away and this cannot be decided without it."""

    code = "ephemeral_unavailable"


class Limit(Struct, frozen=True, kw_only=True):
    """How many calls one key has in any stretch of time of this length; all of them may come at once.

    Raises:
        Internal: the numbers make no limit.
    """

    calls: int
    window: timedelta
    """At least 20 ms, in whole milliseconds."""

    def __post_init__(self) -> None:
        """Refuse numbers that make no limit."""
        if self.calls < 1 or self.window_ms < 20:
            raise Internal("A limit is one call or more in a window of 20 ms or more.")

    @property
    def window_ms(self) -> int:
        """Return the window in milliseconds."""
        return self.window // timedelta(milliseconds=1)


class Allowance(Struct, frozen=True, kw_only=True):
    """The answer to one call."""

    allowed: bool
    remaining: int
    """Calls that would be allowed right after this one."""
    retry_s: float
    """Seconds until the next call is allowed; 0 when it is now."""
    reset_s: float
    """Seconds until all calls are there again."""
    process_only: bool = False
    """The store was away, so only this process's own calls were counted."""


class Said(Struct, frozen=True, kw_only=True):
    """One published message."""

    body: bytes


class Missed(Struct, frozen=True, kw_only=True):
    """Messages were lost at this point: read the present state again."""

    count: int | None
    """How many; None when that is unknown because the connection was lost."""


Heard = Said | Missed


class Ephemeral(Protocol):
    """A store whose loss costs comfort and never truth."""

    async def take(self, space: Space, key: str, limit: Limit) -> Allowance:
        """Count one call against a limit, atomically; refused calls are not counted.

        While the store is away the process counts on its own.
        """
        ...

    async def get(self, space: Space, key: str) -> bytes | None:
        """Return a cached value, None when there is none or the store is away."""
        ...

    async def put(self, space: Space, key: str, value: bytes, ttl: timedelta) -> None:
        """Cache a value, which may vanish before its time; do nothing while the store is away."""
        ...

    async def forget(self, space: Space, key: str) -> None:
        """Drop a cached value.

        Raises:
            EphemeralAway: the value may still be served until its time is over.
        """
        ...

    async def publish(self, space: Space, topic: str, body: bytes) -> None:
        """Tell whoever listens right now; nobody is told while the store is away."""
        ...

    def subscribe(self, space: Space, topic: str) -> AbstractAsyncContextManager[AsyncIterator[Heard]]:
        """Listen to a topic inside a block; what is published after the block began arrives, or a `Missed` does.

        A reader that is too slow loses the oldest messages and finds one `Missed` in their place. While the store is away the
        block begins all the same, and a `Missed` comes with the connection.
        """
        ...
