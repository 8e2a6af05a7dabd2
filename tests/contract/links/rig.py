"""What the tests of the links share: one server, one gate, and a wire to it that can be cut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from gate.sync.happenings import Link
from shared.sync.wire import Hello, ServerFrame
from tests.integration.server.doors.house import House, hello
from tests.integration.server.doors.paper_gate import PaperGate
from tests.services.wire import Wire

PATIENCE_S = 20.0
FrameT = TypeVar("FrameT")


class Rig(Struct, frozen=True, kw_only=True, eq=False):
    """A server, a gate, and how it connects."""

    house: House
    gate: PaperGate
    wire: Wire
    connect: Callable[[], Awaitable[Link]]

    async def link(self, /, **changes: object) -> Heard:
        """Connect and introduce the gate; ``changes`` alter what it says of itself."""
        heard = Heard(await self.connect())
        await heard.link.send(self.hello(**changes))
        return heard

    def hello(self, /, **changes: object) -> Hello:
        """Return what the gate says first."""
        return replace(hello(self.gate), **changes)


class Heard:
    """A link, and what came over it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self._frames = link.frames()

    async def receive(self) -> ServerFrame | None:
        """Return the next frame, None at the end."""
        async with asyncio.timeout(PATIENCE_S):
            return await anext(aiter(self._frames), None)

    async def until(self, kind: type[FrameT]) -> FrameT:
        """Return the next frame of a kind, passing over others."""
        while True:
            frame = await self.receive()
            assert frame is not None, f"the link ended before a {kind.__name__}"
            if isinstance(frame, kind):
                return frame

    async def until_end(self) -> list[ServerFrame]:
        """Return what still comes before the end."""
        frames: list[ServerFrame] = []
        while (frame := await self.receive()) is not None:
            frames.append(frame)
        return frames
