"""A part of the picture: what is in it is read, all of it; what is beside it is not, and is dark in the preview."""

from __future__ import annotations

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest

from gate.scanner.area import WHOLE, Area, AreaDecoder, AreaLane, parse_area
from gate.scanner.decoder import ZxingDecoder
from gate.scanner.folder import FolderSource
from gate.scanner.frames import Image
from gate.scanner.lane import Lane, LaneEvents
from gate.scanner.pace import ThreadPace
from gate.sources import NO_SOURCE, STDIN, SourceChoice, SourceEvents, open_source
from shared.clock import SystemClock
from shared.problems import InputUnusable
from tests.unit.scanner.test_decoder import OTHER, TEXT, draw_code, place

LEFT_HALF = Area(width=50)


def test_words_of_an_area() -> None:
    assert parse_area("") == WHOLE
    assert parse_area(" 25, 10,50 ,80") == Area(left=25, top=10, width=50, height=80)
    assert parse_area("0,0,100,100") == WHOLE


@pytest.mark.parametrize(
    "text",
    ["middle", "25,10,50", "25,10,50,80,1", "60,0,50,100", "0,30,100,71", "0,0,4,50", "-5,0,50,50", "0,0,0,0", ","],
)
def test_area_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputUnusable, match="25,10,50,80"):
        parse_area(text)


def test_only_codes_in_the_area_are_read() -> None:
    both = place(draw_code(TEXT), draw_code(OTHER))
    assert AreaDecoder(ZxingDecoder(), LEFT_HALF).decode(both) == [TEXT]
    assert AreaDecoder(ZxingDecoder(), Area(left=50, width=50)).decode(both) == [OTHER]
    assert sorted(AreaDecoder(ZxingDecoder(), Area(top=5, height=90)).decode(both)) == sorted([TEXT, OTHER])


def test_colour_and_light_codes_are_read_in_an_area() -> None:
    light = place(255 - draw_code(TEXT), ground=20)
    colour = np.asarray(cv2.cvtColor(light, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    assert AreaDecoder(ZxingDecoder(), LEFT_HALF).decode(colour) == [TEXT]


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (480, 641)])
def test_area_of_any_picture_has_a_pixel(size: tuple[int, int]) -> None:
    picture = np.zeros(size, dtype=np.uint8)
    for area in (Area(left=95, top=95, width=5, height=5), LEFT_HALF, WHOLE):
        assert picture[area.slices(picture)].size > 0
    assert picture[WHOLE.slices(picture)].shape == size


async def test_preview_is_dark_beside_the_area(tmp_path: Path) -> None:
    bright: Image = np.full((100, 200), 240, dtype=np.uint8)
    assert cv2.imwrite(str(tmp_path / "1.png"), bright)
    clock, ended = SystemClock(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(_fault: Exception | None = None) -> None:
        loop.call_soon_threadsafe(ended.set)

    source = FolderSource(tmp_path, ThreadPace(clock), lambda _what, _message: None, follow=False)
    events = LaneEvents(on_reading=lambda _: None, on_fault=end, on_end=end)
    lane = AreaLane(Lane(source, AreaDecoder(ZxingDecoder(), LEFT_HALF), clock, events), LEFT_HALF)
    assert lane.thumbnail(20, 10) is None
    lane.start()
    async with asyncio.timeout(30):
        await ended.wait()
    picture = lane.thumbnail(20, 10)
    assert await asyncio.to_thread(lane.stop)
    assert picture is not None
    assert picture.shape == (10, 20, 3)
    assert picture[:, :10].min() == 240
    assert picture[:, 10:].max() == 80
    assert lane.status().frames == 1


@pytest.mark.parametrize("text", [NO_SOURCE, STDIN])
def test_area_of_no_picture_is_refused(text: str) -> None:
    events = SourceEvents(on_shown=lambda _: None, on_fault=lambda _: None, on_end=lambda: None)
    with pytest.raises(InputUnusable, match="--area"):
        open_source(SourceChoice(text=text, area="0,0,50,50"), events, SystemClock())
