"""A lane whose camera is in the network: read over HTTP and RTSP, unplugged, frozen, and there again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gate.admit import Shown
from gate.sources import OpenedSource, SourceChoice, SourceEvents, open_source, try_source
from shared.clock import SystemClock
from shared.problems import Unavailable
from tests.integration.gate.network_cameras import Http, NetworkCamera, Rtsp, draw_table
from tests.unit.scanner.test_decoder import OTHER, TEXT, draw_code

PATIENCE_S = 60
KINDS = pytest.mark.parametrize("kind", [Http, Rtsp])


class Lane:
    """A gate's source at a network camera, and what was shown to it."""

    def __init__(self, camera: NetworkCamera) -> None:
        self.camera = camera
        self._told: asyncio.Queue[str | Exception] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.opened: OpenedSource | None = None

    def open(self) -> None:
        """Start reading."""

        def tell(told: str | Exception) -> None:
            self._loop.call_soon_threadsafe(self._told.put_nowait, told)

        def show(shown: Shown) -> None:
            tell(shown.text)

        events = SourceEvents(on_shown=show, on_fault=tell, on_end=lambda: None)
        self.opened = open_source(SourceChoice(text=self.camera.url), events, SystemClock())
        assert self.opened is not None
        self.opened.source.start()

    def close(self) -> None:
        """Stop reading, whatever state the camera is in."""
        assert self.opened is not None
        assert self.opened.source.stop()

    async def begin(self) -> None:
        """Wait for the first ticket; a gate that is given up by a camera too slow to answer is started anew, as its unit does."""
        while isinstance(told := await self._told.get(), Exception):
            assert isinstance(told, Unavailable)
            await asyncio.to_thread(self.open)
        assert told == TEXT

    async def sees(self, text: str) -> None:
        """Wait until a code is shown; what is still on its way from before counts as nothing."""
        while (told := await self._told.get()) != text:
            assert told == TEXT


@asynccontextmanager
async def lane_at(kind: type[Http | Rtsp]) -> AsyncIterator[Lane]:
    """Run a lane at a camera that looks at the first ticket."""
    camera = NetworkCamera(kind, draw_table(draw_code(TEXT)))
    lane = Lane(camera)
    await asyncio.to_thread(lane.open)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await lane.begin()
            yield lane
    finally:
        await asyncio.to_thread(lane.close)
        camera.thaw()
        camera.unplug()


@KINDS
async def test_code_is_read_and_the_camera_may_be_unplugged(kind: type[Http | Rtsp]) -> None:
    async with lane_at(kind) as lane:
        lane.camera.unplug()
        lane.camera.show(draw_table(draw_code(OTHER)))
        lane.camera.plug_in()
        await lane.sees(OTHER)
        assert lane.opened is not None
        assert lane.opened.live
        picture = lane.opened.source.thumbnail(32, 24)
        assert picture is not None
        assert picture.shape == (24, 32, 3)


@KINDS
async def test_camera_that_sends_nothing_more_is_called_anew(kind: type[Http | Rtsp]) -> None:
    async with lane_at(kind) as lane:
        lane.camera.freeze()
        while lane.camera.served.acquire(blocking=False):
            """Those were greeted before."""
        # Whoever connects now gets its greeting and no picture, until the camera thaws.
        assert await asyncio.to_thread(lane.camera.served.acquire, timeout=PATIENCE_S)
        lane.camera.show(draw_table(draw_code(OTHER)))
        lane.camera.thaw()
        await lane.sees(OTHER)


@KINDS
async def test_camera_that_is_not_there_is_told_without_its_password(kind: type[Http | Rtsp]) -> None:
    camera = NetworkCamera(kind, draw_table(draw_code(TEXT)))
    camera.unplug()
    with pytest.raises(Unavailable, match="check its cable and name") as told:
        await try_source(SourceChoice(text=camera.url), SystemClock(), PATIENCE_S)
    assert "s3cret" not in str(told.value)
    assert "127.0.0.1" in str(told.value)
