"""How soon each reader reads what is held up to a camera, and at what cost a picture, on the same film in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.report import Row, measure
from gate.film.render import draw_frames
from gate.film.script import Film, Person, Showing

Read = Callable[[NDArray[np.uint8]], list[str]]
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:"
_LENGTH = 219
_FRAMES, _PAUSE = 18, 2
_PAIRED_EVERY = 5


class Filmed(Struct, kw_only=True, eq=False):
    """What a reader did with a film: the picture in which each code was first read, counted from the person's first."""

    first: dict[str, int]
    took_ms: list[float]


def draw_crowd(people: int, seed: int) -> Film:
    """Return a 720p film of people with all that is brought to a door; every fifth has somebody beside them."""
    rng = np.random.default_rng(seed)

    def text() -> str:
        return "".join(_LETTERS[place] for place in rng.integers(len(_LETTERS), size=_LENGTH))

    kinds = list(Showing)
    crowd = tuple(
        Person(
            text=text(),
            kind=kinds[number % len(kinds)],
            beside=text() if number % _PAIRED_EVERY == 0 else "",
            frames=_FRAMES,
            pause_frames=_PAUSE,
        )
        for number in range(people)
    )
    return Film(people=crowd, seed=seed)


def compare_on_film(readers: Sequence[tuple[str, Read]], film: Film) -> Iterator[Row]:
    """Let every reader see every picture of a film in its order; the readers take turns in going first."""
    told = {name: Filmed(first={}, took_ms=[]) for name, _ in readers}
    began, present = 0, -1
    for number, shot in enumerate(draw_frames(film)):
        if shot.person is not None and shot.person != present:
            began, present = number, shot.person
        turn = number % len(readers)
        for name, read in [*readers[turn:], *readers[:turn]]:
            began_s = time.perf_counter()
            texts = read(shot.image)
            told[name].took_ms.append((time.perf_counter() - began_s) * 1000)
            for text in texts:
                told[name].first.setdefault(text, number - began)
    there = sum(1 + bool(person.beside) for person in film.people)
    for name, filmed in told.items():
        yield from _rows(name, filmed, there)


def _rows(name: str, filmed: Filmed, there: int) -> Iterator[Row]:
    mean_ms = sum(filmed.took_ms) / len(filmed.took_ms)
    yield Row(what=f"{name}: film, % read", median=100 * len(filmed.first) / there, count=there)
    yield measure(f"{name}: film, pictures until read", list(filmed.first.values()) or [_FRAMES])
    yield measure(f"{name}: film, ms a picture", filmed.took_ms)
    yield Row(what=f"{name}: film, mean ms a picture", median=mean_ms)
