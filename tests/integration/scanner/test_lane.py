"""A lane reports every ticket once and in order, surfaces every fault, and stops without leaving threads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from gate.scanner.frames import Frame, Image
from gate.scanner.pace import ThreadPace
from gate.scanner.replay import VideoSource
from gate.scanner.source import open_source, parse_source
from shared.clock import SystemClock
from shared.problems import Internal, Unavailable
from tests.integration.scanner.conftest import PATIENCE_S, Bench


class HandDrivenSource:
    """A live source whose pictures are pushed by the test."""

    live = True

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frames: list[Frame] = []
        self._over = False
        self._asked_in_vain = False
        self.closed = threading.Event()

    def open(self) -> None:
        """Nothing to prepare."""

    def push(self, *indexes: int) -> None:
        """Give pictures whose brightness is their number."""
        with self._changed:
            for index in indexes:
                image = np.full((90, 160, 3), index, dtype=np.uint8)
                self._frames.append(Frame(image=image, index=index, taken_s=index / 10, shown_s=index / 10))
            self._asked_in_vain = False
            self._changed.notify_all()

    def read(self) -> Frame | None:
        """Return the next picture pushed."""
        with self._changed:
            self._asked_in_vain = not self._frames
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._over or self._frames)
            return None if self._over else self._frames.pop(0)

    def wait_until_drained(self) -> None:
        """Wait until every picture was taken over and one more was asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._asked_in_vain and not self._frames, PATIENCE_S)

    def close(self) -> None:
        """Note the closing."""
        self.closed.set()

    def interrupt(self) -> None:
        """End a waiting read."""
        with self._changed:
            self._over = True
            self._changed.notify_all()


class GatedDecoder:
    """Reads a picture's brightness as its text, one picture for each permission given."""

    def __init__(self) -> None:
        self.looking = threading.Semaphore(0)
        self.may_look = threading.Semaphore(0)

    def decode(self, image: Image) -> list[str]:
        """Say that a picture is being looked at, then wait for permission."""
        self.looking.release()
        assert self.may_look.acquire(timeout=PATIENCE_S)
        return [str(int(image[0, 0, 0]))]


class FailingDecoder:
    """Breaks on its first picture."""

    def decode(self, _image: Image) -> list[str]:
        """Fail."""
        raise ArithmeticError("broken reader")


def pace() -> ThreadPace:
    """Return real pauses."""
    return ThreadPace(SystemClock())


def test_twelve_people_are_each_read_once_and_in_order(bench: Bench, film_path: Path, twelve: list[str]) -> None:
    lane = bench.start(VideoSource(film_path, pace(), paced=False))
    bench.wait_until_over()
    assert bench.faults == []
    assert bench.texts == twelve
    assert bench.ends == 1
    status = lane.status()
    assert (status.frames, status.dropped) == (12 * 30, 0)
    assert status.decode_ms > 0


def test_readings_carry_the_picture_and_its_times(bench: Bench, film_path: Path) -> None:
    bench.start(VideoSource(film_path, pace(), paced=False))
    bench.wait_until_over()
    for number, reading in enumerate(bench.readings):
        assert number * 30 <= reading.frame_index < number * 30 + 24
        assert reading.decoded_s >= reading.taken_s + reading.decode_ms / 1000 - 1e-6
        assert reading.decode_ms > 0


def test_source_named_as_text_plays_the_same_film(bench: Bench, film_path: Path, twelve: list[str]) -> None:
    bench.start(open_source(parse_source(f"fast:{film_path}"), pace(), bench.note_status))
    bench.wait_until_over()
    assert bench.texts == twelve


def test_live_source_reads_the_newest_picture_and_drops_the_older(bench: Bench) -> None:
    source, decoder = HandDrivenSource(), GatedDecoder()
    lane = bench.start(source, decoder)
    source.push(1)
    assert decoder.looking.acquire(timeout=PATIENCE_S)
    source.push(2, 3, 4)
    source.push(5)
    source.wait_until_drained()
    decoder.may_look.release(2)
    bench.wait_for_readings(2)
    assert bench.texts == ["1", "5"]
    assert lane.status().dropped == 3


def test_missing_camera_surfaces_as_a_typed_problem(bench: Bench) -> None:
    bench.start(open_source(parse_source("97"), pace(), bench.note_status))
    bench.wait_until_over()
    assert [type(fault) for fault in bench.faults] == [Unavailable]
    assert "camera 97" in str(bench.faults[0])
    assert bench.ends == 0


def test_broken_decoder_surfaces_and_ends_the_lane(bench: Bench) -> None:
    source = HandDrivenSource()
    lane = bench.start(source, FailingDecoder())
    source.push(1)
    bench.wait_until_over()
    assert [str(fault) for fault in bench.faults] == ["broken reader"]
    assert source.closed.wait(PATIENCE_S)
    assert lane.stop()
    assert not lane.status().camera_alive


def test_stopped_lane_leaves_no_threads_and_reports_no_end(bench: Bench, film_path: Path) -> None:
    before = set(threading.enumerate())
    lane = bench.start(VideoSource(film_path, pace(), paced=True))
    bench.wait_for_readings(1)
    clock = SystemClock()
    began_s = clock.monotonic()
    assert lane.stop()
    assert clock.monotonic() - began_s < 2.0
    assert set(threading.enumerate()) <= before
    assert (bench.ends, bench.faults) == (0, [])


def test_lane_stopped_before_any_picture_leaves_no_threads(bench: Bench) -> None:
    source = HandDrivenSource()
    lane = bench.start(source)
    assert lane.stop()
    assert source.closed.is_set()
    assert lane.thumbnail(10, 10) is None


def test_lane_cannot_be_started_twice(bench: Bench) -> None:
    lane = bench.start(HandDrivenSource())
    with pytest.raises(Internal, match="started twice"):
        lane.start()


def test_thumbnail_fits_the_box_keeps_the_shape_and_is_red_first(bench: Bench) -> None:
    source, decoder = HandDrivenSource(), GatedDecoder()
    lane = bench.start(source, decoder)
    source.push(200)
    assert decoder.looking.acquire(timeout=PATIENCE_S)
    small = lane.thumbnail(40, 40)
    assert small is not None
    assert small.shape == (22, 40, 3)
    assert int(small[11, 20, 0]) == 200
    assert lane.thumbnail(0, 40) is None
    decoder.may_look.release()


def test_status_knows_a_live_camera_from_a_silent_one(bench: Bench, film_path: Path) -> None:
    lane = bench.start(VideoSource(film_path, pace(), paced=True))
    bench.wait_for_readings(1)
    status = lane.status()
    assert status.camera_alive
    assert 0 < status.fps < 60
    lane.stop()
    assert not lane.status().camera_alive
    assert lane.status().fps == 0.0
