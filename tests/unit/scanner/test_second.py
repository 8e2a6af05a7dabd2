"""The second decoder is asked only where the first found nothing, takes no more than its share, and may be missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gate.scanner.decoder import ZxingDecoder
from gate.scanner.frames import Image
from gate.scanner.second import LONGEST_MS, SHARE, TwoDecoders, ZbarAway, ZbarCall, ZbarDecoder, load_zbar, open_decoder
from shared.clock import ManualClock
from tests.unit.scanner.test_decoder import TEXT, draw_code, place

PICTURE = place(draw_code(TEXT))


class Scripted:
    """A decoder that finds what it is told and takes as long as it is told."""

    def __init__(self, clock: ManualClock, texts: list[str], took_ms: float = 0.0) -> None:
        self.texts = texts
        self.looks = 0
        self._clock = clock
        self._took = timedelta(milliseconds=took_ms)

    def decode(self, image: Image) -> list[str]:
        """Find it."""
        assert image.size
        self.looks += 1
        self._clock.advance(self._took)
        return self.texts


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands still."""
    return ManualClock(datetime(2026, 6, 20, 18, 0, tzinfo=UTC))


def test_second_is_not_asked_where_the_first_reads(clock: ManualClock) -> None:
    second = Scripted(clock, ["other"])
    assert TwoDecoders(Scripted(clock, ["first"]), second, clock).decode(PICTURE) == ["first"]
    assert second.looks == 0


def test_second_reads_where_the_first_finds_nothing(clock: ManualClock) -> None:
    assert TwoDecoders(Scripted(clock, []), ZbarDecoder(load_zbar()), clock).decode(PICTURE) == [TEXT]


def test_second_is_not_asked_about_an_even_picture(clock: ManualClock) -> None:
    second = Scripted(clock, [])
    TwoDecoders(Scripted(clock, []), second, clock).decode(np.full((720, 1280), 90, dtype=np.uint8))
    assert second.looks == 0


@pytest.mark.parametrize("took_ms", [5.0, 22.0, 50.0])
def test_second_takes_its_share_of_a_minute_of_empty_pictures_and_no_more(clock: ManualClock, took_ms: float) -> None:
    second = Scripted(clock, [], took_ms)
    both = TwoDecoders(Scripted(clock, [], 2.0), second, clock)
    began_s = clock.monotonic()
    while clock.monotonic() - began_s < 60:
        both.decode(PICTURE)
        clock.advance(timedelta(milliseconds=31))
    share = second.looks * took_ms / 1000 / (clock.monotonic() - began_s)
    assert SHARE / 2 < share <= SHARE


def test_second_that_is_far_too_slow_rests_for_half_a_minute(clock: ManualClock) -> None:
    second = Scripted(clock, [], LONGEST_MS + 40)
    both = TwoDecoders(Scripted(clock, []), second, clock)
    both.decode(PICTURE)
    clock.advance(timedelta(seconds=29))
    both.decode(PICTURE)
    assert second.looks == 1
    clock.advance(timedelta(seconds=1))
    both.decode(PICTURE)
    assert second.looks == 2


def test_machine_without_zbar_reads_with_the_first_alone(clock: ManualClock) -> None:
    def load() -> ZbarCall:
        raise ZbarAway("not installed")

    first = ZxingDecoder()
    opened = open_decoder(first, clock, load)
    assert opened is first
    assert opened.decode(PICTURE) == [TEXT]


def test_bytes_that_are_no_text_are_no_code() -> None:
    class Symbol:
        data = b"\xff\xfe"

    assert ZbarDecoder(lambda _: [Symbol()]).decode(PICTURE) == []
