"""What happens in a film: who comes, with which code, on what, and for how many pictures."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from shared.problems import InputUnusable

LONGEST_TEXT = 1200


class Showing(StrEnum):
    """What a person holds up."""

    PHONE = "phone"
    PAPER = "paper"
    DARK_MODE = "dark_mode"
    SMALL = "small"
    DIM = "dim"
    GLARE = "glare"


class Person(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person: the code's text and error level, what it is shown on, pictures in view, then pictures of no one.

    With ``beside`` there are two: that code is held beside the first, on the same kind of thing.
    """

    text: Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
    error: Literal["L", "M", "Q", "H"] = "M"
    kind: Showing = Showing.PHONE
    beside: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""
    frames: Annotated[int, Meta(ge=6, le=3000)] = 24
    pause_frames: Annotated[int, Meta(ge=0, le=3000)] = 6


class Film(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole film; the same script gives the same pictures. `fps` is pictures per second, sizes are in pixels."""

    people: Annotated[tuple[Person, ...], Meta(max_length=100_000)]
    fps: Annotated[int, Meta(ge=1, le=120)] = 30
    width: Annotated[int, Meta(ge=320, le=3840, multiple_of=2)] = 1280
    height: Annotated[int, Meta(ge=240, le=2160, multiple_of=2)] = 720
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 1

    @property
    def total_frames(self) -> int:
        """Number of pictures in the film."""
        return sum(person.frames + person.pause_frames for person in self.people)


def film_of(texts: Sequence[str], seed: int = 1, frames: int = 24, pause_frames: int = 6) -> Film:
    """Return a film in which each text is shown once, in order, on the mix of things people bring to a door."""
    people = tuple(
        Person(text=text, kind=_MIX[(place + seed) % len(_MIX)], frames=frames, pause_frames=pause_frames)
        for place, text in enumerate(texts)
    )
    return Film(people=people, seed=seed)


def parse_film(data: bytes) -> Film:
    """Return the film a JSON script describes; raises InputUnusable and names the field at fault."""
    try:
        film = msgspec.json.decode(data, type=Film)
    except msgspec.DecodeError as exc:
        raise InputUnusable(f"the film script cannot be used: {exc}") from exc
    if not film.people:
        raise InputUnusable("the film script names no people: give at least one entry under `people`")
    return film


def load_film(path: Path) -> Film:
    """Return the film described by a script file; raises InputUnusable."""
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise InputUnusable(f"the film script {path} cannot be opened: {exc.strerror}") from exc
    return parse_film(data)


def write_script(film: Film) -> bytes:
    """Return the film's script as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(film), indent=2) + b"\n"


_MIX = (
    Showing.PHONE,
    Showing.PHONE,
    Showing.PAPER,
    Showing.PHONE,
    Showing.DARK_MODE,
    Showing.PHONE,
    Showing.SMALL,
    Showing.PHONE,
    Showing.DIM,
    Showing.GLARE,
)
