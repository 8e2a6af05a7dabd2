"""Frames are the same for the same script, of the size asked for, and show the person whose turn it is."""

from __future__ import annotations

import numpy as np
import pytest

from gate.film.motion import enter_frames, leave_frames
from gate.film.render import draw_frames
from gate.film.script import Film, Person, Showing
from gate.scanner.decoder import ZxingDecoder

TEXT = "TICKET:" + "0123456789ABCDEF" * 13


def film(kind: Showing = Showing.PHONE, seed: int = 5) -> Film:
    """Return a short film of one person."""
    return Film(people=(Person(text=TEXT, kind=kind, frames=20, pause_frames=3),), seed=seed)


def test_same_script_gives_the_same_pixels() -> None:
    for one, other in zip(draw_frames(film()), draw_frames(film()), strict=True):
        assert np.array_equal(one.image, other.image)


def test_other_seed_gives_other_pixels() -> None:
    one, other = next(draw_frames(film(seed=1))), next(draw_frames(film(seed=2)))
    assert not np.array_equal(one.image, other.image)


def test_frames_are_gray_and_of_the_size_asked_for() -> None:
    small = Film(people=(Person(text="A", frames=6, pause_frames=1),), width=640, height=480)
    shots = list(draw_frames(small))
    assert [shot.image.shape for shot in shots] == [(480, 640)] * 7
    assert {shot.image.dtype for shot in shots} == {np.dtype(np.uint8)}


def test_person_is_followed_by_an_empty_scene() -> None:
    assert [shot.person for shot in draw_frames(film())] == [0] * 20 + [None] * 3


def test_neighbouring_frames_differ_even_without_anyone() -> None:
    pause = [shot.image for shot in draw_frames(film()) if shot.person is None]
    assert not np.array_equal(pause[0], pause[1])


@pytest.mark.parametrize("kind", list(Showing))
def test_every_kind_is_readable_while_held_and_not_while_away(kind: Showing) -> None:
    decoder = ZxingDecoder()
    read = [decoder.decode(shot.image) for shot in draw_frames(film(kind))]
    held = read[enter_frames(20) : 20 - leave_frames(20)]
    assert held.count([TEXT]) >= 3
    assert read[0] == []
    assert read[20:] == [[], [], []]
    assert all(texts in ([], [TEXT]) for texts in read)


@pytest.mark.parametrize("kind", list(Showing))
def test_two_people_side_by_side_are_both_readable_in_the_same_pictures(kind: Showing) -> None:
    other = TEXT.replace("TICKET", "BESIDE")
    pair = Person(text=TEXT, beside=other, kind=kind, frames=20, pause_frames=0)
    decoder = ZxingDecoder()
    read = [sorted(decoder.decode(shot.image)) for shot in draw_frames(Film(people=(pair,), seed=4))]
    assert read.count(sorted([TEXT, other])) >= 3
    assert {text for texts in read for text in texts} == {TEXT, other}
