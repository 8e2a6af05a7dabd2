"""A camera is set as far as its driver goes, and what it does not have stops nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gate.scanner.controls import Controls, apply_controls, parse_controls, set_up_camera
from gate.sources import SourceChoice, SourceEvents, open_source
from shared.clock import SystemClock
from shared.problems import InputUnusable

LAMP, EXPOSURE_MODE, EXPOSURE, FOCUS_MODE, FOCUS = 0x009C0901, 0x009A0901, 0x009A0902, 0x009A090C, 0x009A090A


class FakeDriver:
    """A driver with some controls; what was set is kept."""

    def __init__(self, *known: int, refusing: int = errno.EINVAL) -> None:
        self.known = known
        self.refusing = refusing
        self.values: dict[int, int] = {}

    def __call__(self, number: int, value: int) -> None:
        """Set one control."""
        if number not in self.known:
            raise OSError(self.refusing, "no such control")
        self.values[number] = value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Controls()),
        ("torch=on", Controls(torch=True)),
        ("torch=off, exposure=4.5", Controls(torch=False, exposure_ms=4.5)),
        ("exposure=auto,focus=auto", Controls(exposure_ms=0.0, focus=-1)),
        ("focus=120", Controls(focus=120)),
    ],
)
def test_wishes_are_read(text: str, expected: Controls) -> None:
    assert parse_controls(text) == expected


@pytest.mark.parametrize(
    "text", ["torch", "torch=yes", "exposure=0", "exposure=nan", "exposure=2000", "focus=-3", "zoom=2"]
)
def test_wish_that_means_nothing_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputUnusable, match=text):
        parse_controls(text)


def test_driver_gets_what_it_has_and_the_rest_is_named() -> None:
    driver = FakeDriver(EXPOSURE_MODE, EXPOSURE)
    assert apply_controls(parse_controls("torch=on,exposure=4,focus=120"), driver) == ["torch", "focus"]
    assert driver.values == {EXPOSURE_MODE: 1, EXPOSURE: 40}
    complete = FakeDriver(LAMP, EXPOSURE_MODE, EXPOSURE, FOCUS_MODE, FOCUS)
    assert apply_controls(parse_controls("torch=on,exposure=auto,focus=9"), complete) == []
    assert complete.values == {LAMP: 2, EXPOSURE_MODE: 3, FOCUS_MODE: 0, FOCUS: 9}


def test_camera_that_is_gone_is_not_taken_for_one_without_a_lamp() -> None:
    with pytest.raises(OSError, match="no such control"):
        apply_controls(Controls(torch=True), FakeDriver(refusing=errno.ENODEV))


def test_device_that_cannot_be_set_is_noted_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "video0").write_bytes(b"no camera")
    with capture_logs() as logs:
        set_up_camera(str(tmp_path / "video0"), Controls(torch=True))
        set_up_camera(str(tmp_path / "gone"), Controls(torch=True))
        set_up_camera(str(tmp_path / "gone"), Controls())
    assert [entry["event"] for entry in logs] == ["camera.driver_has_not", "camera.not_set"]


@pytest.mark.parametrize(
    ("source", "word"), [("film.avi", "--source"), ("rtsp://10.0.0.7/door", "--source"), ("0", "zoom")]
)
def test_only_cameras_of_this_machine_are_set(source: str, word: str) -> None:
    choice = SourceChoice(text=source, controls="zoom=2" if word == "zoom" else "torch=on")
    events = SourceEvents(on_shown=lambda _: None, on_fault=lambda _: None, on_end=lambda: None)
    with pytest.raises(InputUnusable, match=word):
        open_source(choice, events, SystemClock())
