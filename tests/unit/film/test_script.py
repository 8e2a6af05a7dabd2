"""A film script is taken exactly as written, or refused with the field at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.film.script import Film, Person, Showing, film_of, load_film, parse_film, write_script
from shared.problems import InputUnusable


def test_smallest_script_gets_the_usual_camera() -> None:
    film = parse_film(b'{"people": [{"text": "A"}]}')
    assert film == Film(people=(Person(text="A"),))
    assert (film.width, film.height, film.fps) == (1280, 720, 30)


def test_script_survives_being_written_and_read() -> None:
    film = Film(people=(Person(text="A", kind=Showing.PAPER, error="Q", frames=9, pause_frames=0),), seed=8, fps=25)
    assert parse_film(write_script(film)) == film


def test_total_counts_people_and_pauses() -> None:
    assert film_of(["A", "B", "C"], frames=20, pause_frames=5).total_frames == 75


def test_mix_holds_every_way_of_showing_a_ticket() -> None:
    film = film_of([str(number) for number in range(10)])
    assert {person.kind for person in film.people} == set(Showing)
    assert [person.text for person in film.people] == [str(number) for number in range(10)]


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        (b"", "script"),
        (b"[]", "object"),
        (b"\xff\xfe", "script"),
        (b'{"people": []}', "names no people"),
        (b'{"people": [{"text": ""}]}', r"people\[0\].text"),
        (b'{"people": [{"text": "A", "kind": "tablet"}]}', r"people\[0\].kind"),
        (b'{"people": [{"text": "A", "error": "X"}]}', r"people\[0\].error"),
        (b'{"people": [{"text": "A", "frames": 5}]}', r"people\[0\].frames"),
        (b'{"people": [{"text": "A", "frames": "20"}]}', r"people\[0\].frames"),
        (b'{"people": [{"text": "A", "pause_frames": -1}]}', r"people\[0\].pause_frames"),
        (b'{"people": [{"text": "A", "name": "Ann"}]}', "name"),
        (b'{"people": [{"text": "A"}], "speed": 2}', "speed"),
        (b'{"people": [{"text": "A"}], "width": 641}', "width"),
        (b'{"people": [{"text": "A"}], "fps": 0}', "fps"),
    ],
)
def test_faulty_script_is_refused_and_the_fault_named(script: bytes, hint: str) -> None:
    with pytest.raises(InputUnusable, match=hint):
        parse_film(script)


def test_missing_script_file_is_a_typed_problem(tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="cannot be opened"):
        load_film(tmp_path / "none.json")
