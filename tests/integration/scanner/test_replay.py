"""Recorded films play at their own speed, and damaged ones say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.scanner.frames import Frame
from gate.scanner.pace import SteppedPace, ThreadPace
from gate.scanner.replay import VideoSource
from shared.clock import ManualClock, SystemClock
from shared.problems import InputUnusable
from tests.integration.scanner.conftest import Bench


def play(source: VideoSource) -> list[Frame]:
    """Return every frame of a source."""
    source.open()
    frames: list[Frame] = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def stepped() -> SteppedPace:
    """Return pauses that take no time."""
    return SteppedPace(ManualClock(datetime(2026, 6, 1, tzinfo=UTC)))


def test_paced_film_gives_pictures_at_its_own_rate(short_film_path: Path) -> None:
    frames = play(VideoSource(short_film_path, stepped(), paced=True))
    due_s = [index / 20 for index in range(60)]
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.taken_s for frame in frames] == pytest.approx(due_s, abs=1e-4)
    assert [frame.shown_s for frame in frames] == pytest.approx(due_s)


def test_paced_film_read_late_catches_up_with_its_time(short_film_path: Path) -> None:
    clock = ManualClock(datetime(2026, 6, 1, tzinfo=UTC))
    source = VideoSource(short_film_path, SteppedPace(clock), paced=True)
    source.open()
    clock.advance(timedelta(seconds=1))
    taken_s = [frame.taken_s for frame in (source.read() for _ in range(22)) if frame is not None]
    assert taken_s[:21] == [1.0] * 21
    assert taken_s[21] == pytest.approx(1.05)
    source.close()


def test_unpaced_film_takes_no_time_but_keeps_its_time_line(short_film_path: Path) -> None:
    frames = play(VideoSource(short_film_path, stepped(), paced=False))
    assert {frame.taken_s for frame in frames} == {0.0}
    assert frames[-1].shown_s == pytest.approx(59 / 20)


def test_film_can_be_played_again_after_closing(short_film_path: Path) -> None:
    source = VideoSource(short_film_path, stepped(), paced=False)
    assert len(play(source)) == len(play(source)) == 60


def test_interrupted_film_ends(short_film_path: Path) -> None:
    source = VideoSource(short_film_path, stepped(), paced=True)
    source.open()
    assert source.read() is not None
    source.interrupt()
    assert source.read() is None
    source.close()


def test_missing_film_is_a_typed_problem(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="check the path"):
        VideoSource(tmp_path / "none.avi", stepped(), paced=False).open()


@pytest.mark.parametrize("content", [b"", b"these are words, not pictures\n" * 400])
def test_file_that_is_no_video_is_a_typed_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "words.avi"
    path.write_bytes(content)
    with pytest.raises(InputUnusable, match="holds no video that can be read"):
        VideoSource(path, stepped(), paced=False).open()


def test_unreadable_video_writes_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "words.mp4"
    path.write_bytes(b"these are words, not pictures\n" * 400)
    with pytest.raises(InputUnusable):
        VideoSource(path, stepped(), paced=False).open()
    assert capfd.readouterr() == ("", "")


def test_film_cut_short_is_read_to_the_cut_and_then_reported(
    bench: Bench, film_path: Path, twelve: list[str], tmp_path: Path
) -> None:
    whole = film_path.read_bytes()
    path = tmp_path / "half.avi"
    path.write_bytes(whole[: len(whole) // 2])
    bench.start(VideoSource(path, ThreadPace(SystemClock()), paced=False))
    bench.wait_until_over()
    assert [type(fault) for fault in bench.faults] == [InputUnusable]
    assert "is cut short" in str(bench.faults[0])
    assert 4 <= len(bench.texts) <= 7
    assert bench.texts == twelve[: len(bench.texts)]
    assert bench.ends == 0
