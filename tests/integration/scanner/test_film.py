"""Films are whole, readable by the same program, and leave nothing behind when they fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.film.script import Film, Person, film_of
from gate.film.writer import CODECS, render_film
from gate.scanner.capture import capture_file
from shared.problems import InputUnusable

SMALL = Film(people=(Person(text="TICKET 1", frames=8, pause_frames=2),), width=640, height=360, fps=25)


@pytest.mark.parametrize("ending", list(CODECS))
def test_film_reads_back_with_its_size_rate_and_length(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film{ending}"
    report = render_film(SMALL, path)
    capture = capture_file(path)
    count = 0
    while (image := capture.grab()) is not None:
        assert image.shape == (360, 640, 3)
        count += 1
    assert (count, capture.announced_frames, capture.fps) == (10, 10, 25.0)
    assert report.frames == 10
    assert report.ms_per_frame == pytest.approx(report.seconds * 1000 / 10)
    assert report.seconds > 0


def test_progress_is_told_after_every_frame(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    render_film(SMALL, tmp_path / "film.avi", lambda done, total: told.append((done, total)))
    assert told == [(done, 10) for done in range(1, 11)]


def test_only_the_finished_film_is_in_the_folder(tmp_path: Path) -> None:
    during: list[str] = []

    def look(_done: int, _total: int) -> None:
        during.extend(path.name for path in tmp_path.iterdir() if not path.name.startswith("."))

    render_film(SMALL, tmp_path / "film.avi", look)
    assert during == []
    assert [path.name for path in tmp_path.iterdir()] == ["film.avi"]


def test_failed_film_leaves_nothing_and_keeps_the_old_one(tmp_path: Path) -> None:
    old = tmp_path / "film.avi"
    old.write_bytes(b"yesterday")
    with pytest.raises(InputUnusable, match="does not fit"):
        render_film(film_of(["TICKET", "🎫" * 1200]), old)
    assert [path.name for path in tmp_path.iterdir()] == ["film.avi"]
    assert old.read_bytes() == b"yesterday"


@pytest.mark.parametrize(("name", "hint"), [("film.gif", "does not end in"), ("away/film.avi", "create it first")])
def test_impossible_target_is_refused_before_drawing(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(InputUnusable, match=hint):
        render_film(SMALL, tmp_path / name)


def test_film_without_people_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="no people"):
        render_film(Film(people=()), tmp_path / "film.avi")
