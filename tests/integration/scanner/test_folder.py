"""A folder plays its pictures and films in the order of their names, and can be watched for more."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from gate.film.script import film_of
from gate.film.symbol import draw_symbol
from gate.film.writer import render_film
from gate.scanner.folder import FolderSource
from gate.scanner.frames import SourceEvent
from gate.scanner.pace import ThreadPace
from shared.clock import SystemClock
from shared.problems import InputUnusable
from tests.integration.scanner.conftest import Bench


def save_code(folder: Path, name: str, text: str) -> None:
    """Put a picture of a code into a folder the way other programs should: complete, by renaming."""
    tones = np.where(np.pad(draw_symbol(text, "M"), 8), 20, 235).astype(np.uint8)
    picture = tones.repeat(6, axis=0).repeat(6, axis=1)
    unfinished = folder / f".{name}"
    assert cv2.imwrite(str(unfinished), picture)
    unfinished.rename(folder / name)


def source(folder: Path, bench: Bench, *, follow: bool = False) -> FolderSource:
    """Return a folder source that tells the bench how it is."""
    return FolderSource(folder, ThreadPace(SystemClock()), bench.note_status, follow=follow)


def test_pictures_are_played_in_the_order_of_their_names(bench: Bench, tmp_path: Path) -> None:
    for name, text in (("b.png", "SECOND"), ("a.jpg", "FIRST"), ("c.BMP", "THIRD")):
        save_code(tmp_path, name, text)
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".d.png").write_bytes(b"unfinished")
    bench.start(source(tmp_path, bench))
    bench.wait_until_over()
    assert bench.faults == []
    assert bench.texts == ["FIRST", "SECOND", "THIRD"]
    assert [reading.frame_index for reading in bench.readings] == [0, 1, 2]


def test_films_and_pictures_mix(bench: Bench, tmp_path: Path) -> None:
    save_code(tmp_path, "1.png", "BEFORE")
    render_film(film_of(["IN THE FILM"], seed=2), tmp_path / "2.avi")
    save_code(tmp_path, "3.png", "AFTER")
    bench.start(source(tmp_path, bench))
    bench.wait_until_over()
    assert bench.texts == ["BEFORE", "IN THE FILM", "AFTER"]
    assert bench.readings[-1].frame_index == 31


def test_picture_right_after_a_film_counts_as_still_in_view(bench: Bench, tmp_path: Path) -> None:
    render_film(film_of(["SAME"], seed=2, pause_frames=0), tmp_path / "1.avi")
    save_code(tmp_path, "2.png", "SAME")
    bench.start(source(tmp_path, bench))
    bench.wait_until_over()
    assert bench.texts == ["SAME"]


def test_long_film_does_not_hide_a_ticket_shown_again_at_its_end(bench: Bench, tmp_path: Path) -> None:
    render_film(film_of(["SAME", "OTHER"], seed=2, pause_frames=80), tmp_path / "1.avi")
    save_code(tmp_path, "2.png", "SAME")
    bench.start(source(tmp_path, bench))
    bench.wait_until_over()
    assert bench.texts == ["SAME", "OTHER", "SAME"]


def test_followed_folder_picks_up_files_until_the_end(bench: Bench, tmp_path: Path, film_path: Path) -> None:
    bench.start(source(tmp_path, bench, follow=True))
    save_code(tmp_path, "z.png", "FIRST TO COME")
    bench.wait_for_readings(1)
    save_code(tmp_path, "a.png", "SECOND TO COME")
    bench.wait_for_readings(2)
    shutil.copy(film_path, tmp_path / ".queue.avi")
    (tmp_path / ".queue.avi").rename(tmp_path / "queue.avi")
    (tmp_path / "end").touch()
    bench.wait_until_over()
    assert bench.faults == []
    assert bench.texts[:2] == ["FIRST TO COME", "SECOND TO COME"]
    assert len(bench.texts) == 14


def test_followed_folder_passes_over_a_bad_file_and_says_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture at all")
    (tmp_path / "b.avi").write_bytes(b"no video at all")
    save_code(tmp_path, "c.png", "GOOD")
    (tmp_path / "end").touch()
    bench.start(source(tmp_path, bench, follow=True))
    bench.wait_until_over()
    assert bench.faults == []
    assert bench.texts == ["GOOD"]
    assert bench.statuses == [SourceEvent.SKIPPED, SourceEvent.SKIPPED]


@pytest.mark.parametrize("name", ["a.png", "a.avi"])
def test_bad_file_in_a_folder_is_a_typed_problem(bench: Bench, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"neither picture nor video")
    bench.start(source(tmp_path, bench))
    bench.wait_until_over()
    assert [type(fault) for fault in bench.faults] == [InputUnusable]
    assert name in str(bench.faults[0])


def test_missing_and_empty_folders_are_typed_problems(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="there is no folder"):
        source(tmp_path / "none", bench).open()
    with pytest.raises(InputUnusable, match="holds no pictures"):
        source(tmp_path, bench).open()


def test_waiting_folder_stops_at_once(bench: Bench, tmp_path: Path) -> None:
    lane = bench.start(source(tmp_path, bench, follow=True))
    assert lane.stop()
    assert (bench.ends, bench.faults) == (0, [])
