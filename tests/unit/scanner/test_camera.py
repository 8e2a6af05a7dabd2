"""A camera that goes away is looked for until it is back, and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from gate.scanner.camera import CameraSource
from gate.scanner.frames import Image, SourceEvent
from gate.scanner.pace import SteppedPace
from shared.clock import ManualClock
from shared.problems import Unavailable


class ScriptedConnection:
    """Gives as many pictures as it was told to, then none; told nothing, it is not open."""

    def __init__(self, pictures: Iterable[bool]) -> None:
        self._pictures = list(pictures)
        self.is_open = bool(self._pictures)
        self.released = False

    def grab(self) -> Image | None:
        if not self._pictures or not self._pictures.pop(0):
            return None
        return np.zeros((4, 6, 3), dtype=np.uint8)

    def release(self) -> None:
        self.released = True


class Rig:
    """A camera source whose connections are scripted, on a clock moved by its own pauses."""

    def __init__(self, *connections: ScriptedConnection) -> None:
        self.waiting = list(connections)
        self.used: list[ScriptedConnection] = []
        self.events: list[SourceEvent] = []
        self.messages: list[str] = []
        self.clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
        self.pace = SteppedPace(self.clock)
        self.connected_at_s: list[float] = []
        self.source = CameraSource(self._connect, "camera 0", self.pace, self._note)
        self.when_used_up: Callable[[], None] = self.source.interrupt

    def _connect(self) -> ScriptedConnection:
        self.connected_at_s.append(self.clock.monotonic())
        if not self.waiting:
            self.when_used_up()
            return ScriptedConnection([])
        self.used.append(self.waiting.pop(0))
        return self.used[-1]

    def _note(self, event: SourceEvent, message: str) -> None:
        self.events.append(event)
        self.messages.append(message)


def test_camera_that_is_not_there_is_a_typed_problem() -> None:
    rig = Rig(ScriptedConnection([]))
    with pytest.raises(Unavailable, match="no picture from camera 0"):
        rig.source.open()
    assert rig.used[0].released


def test_camera_that_opens_but_gives_no_picture_is_a_typed_problem() -> None:
    rig = Rig(ScriptedConnection([False, True]))
    with pytest.raises(Unavailable, match="no other program"):
        rig.source.open()


def test_single_missed_picture_does_not_cost_a_reconnect() -> None:
    rig = Rig(ScriptedConnection([True, True, False, True]))
    rig.source.open()
    first, second = rig.source.read(), rig.source.read()
    assert first is not None
    assert second is not None
    assert (first.index, second.index) == (0, 1)
    assert rig.events == [SourceEvent.READY]


def test_lost_camera_comes_back_and_numbering_goes_on() -> None:
    rig = Rig(ScriptedConnection([True, True]), ScriptedConnection([]), ScriptedConnection([True, True]))
    rig.source.open()
    first, second = rig.source.read(), rig.source.read()
    assert first is not None
    assert second is not None
    assert (first.index, second.index) == (0, 1)
    assert rig.events == [SourceEvent.READY, SourceEvent.LOST, SourceEvent.BACK]
    assert [connection.released for connection in rig.used] == [True, True, False]


def test_pauses_between_attempts_double_up_to_five_seconds() -> None:
    rig = Rig(ScriptedConnection([True]), *(ScriptedConnection([]) for _ in range(8)))
    rig.source.open()
    assert rig.source.read() is None
    moments = rig.connected_at_s[1:]
    assert [later - earlier for earlier, later in pairwise(moments)] == [
        0.5,
        1.0,
        2.0,
        4.0,
        5.0,
        5.0,
        5.0,
        5.0,
    ]


def test_interrupted_camera_gives_nothing_more_and_reports_no_loss() -> None:
    rig = Rig(ScriptedConnection([True] * 5))
    rig.source.open()
    rig.source.interrupt()
    assert rig.source.read() is None
    assert rig.events == [SourceEvent.READY]


def test_closing_twice_releases_the_camera() -> None:
    rig = Rig(ScriptedConnection([True]))
    rig.source.open()
    rig.source.close()
    rig.source.close()
    assert rig.used[0].released
