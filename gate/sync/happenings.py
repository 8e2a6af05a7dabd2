"""What can happen to a gate's link, as values in one queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from msgspec import Struct

from gate.sync.actions import Instant
from shared.sync.wire import FeedFrame, GateFrame, ServerFrame


class Link(Protocol):
    """One connection to the server."""

    async def send(self, frame: GateFrame) -> None:
        """Send a frame, or raise Unavailable."""
        ...

    def frames(self) -> AsyncIterator[ServerFrame]:
        """Yield what the server sends until the link ends."""
        ...

    async def close(self) -> None:
        """End the link; closing twice is fine."""
        ...


class Connected(Struct, frozen=True, kw_only=True, eq=False):
    """A connection was made."""

    link: Link


class Disconnected(Struct, frozen=True, kw_only=True, eq=False):
    """A connection ended."""

    link: Link


class Arrived(Struct, frozen=True, kw_only=True, eq=False):
    """A frame came, at this moment."""

    link: Link
    frame: ServerFrame
    at: Instant


class Ticked(Struct, frozen=True, kw_only=True):
    """About a second passed."""


class Logged(Struct, frozen=True, kw_only=True):
    """The log has grown."""


class Fetched(Struct, frozen=True, kw_only=True):
    """A feed range came, or None when it did not; ``too_old`` when the server no longer keeps it."""

    frame: FeedFrame | None
    too_old: bool = False


class Loaded(Struct, frozen=True, kw_only=True):
    """A snapshot was swapped in that stands for this feed position, or None when it was not."""

    feed_seq: int | None


class Banned(Struct, frozen=True, kw_only=True):
    """The server said, in place of a connection, that this gate was revoked."""


class HandedIn(Struct, frozen=True, kw_only=True):
    """The server keeps a revoked gate's log apart up to and including this record, or None when it did not take it."""

    upto: int | None


Happening = Connected | Disconnected | Arrived | Ticked | Logged | Fetched | Loaded | Banned | HandedIn
