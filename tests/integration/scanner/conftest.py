"""Lanes over real films, and what they told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.film.script import Film, Person, film_of
from gate.film.writer import render_film
from gate.scanner.decoder import Decoder, ZxingDecoder
from gate.scanner.frames import FrameSource, SourceEvent
from gate.scanner.lane import Lane, LaneEvents, Reading
from shared.clock import SystemClock

PATIENCE_S = 60.0
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Bench:
    """Runs one lane and keeps what it reported."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.faults: list[Exception] = []
        self.ends = 0
        self.statuses: list[SourceEvent] = []
        self.lane: Lane | None = None
        self._changed = threading.Condition()

    def start(self, source: FrameSource, decoder: Decoder | None = None) -> Lane:
        """Start a lane over a source."""
        events = LaneEvents(on_reading=self._on_reading, on_fault=self._on_fault, on_end=self._on_end)
        self.lane = Lane(source, decoder or ZxingDecoder(), SystemClock(), events)
        self.lane.start()
        return self.lane

    def note_status(self, event: SourceEvent, _message: str) -> None:
        """Take a source's status."""
        with self._changed:
            self.statuses.append(event)
            self._changed.notify_all()

    @property
    def texts(self) -> list[str]:
        """The texts reported so far, in order."""
        return [reading.text for reading in self.readings]

    def wait_until_over(self) -> None:
        """Wait for the end or a fault."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.ends or self.faults), PATIENCE_S), "the lane never ended"

    def wait_for_readings(self, count: int) -> None:
        """Wait for so many readings in all."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.readings) >= count or bool(self.faults), PATIENCE_S)
        assert enough, f"only {self.texts} were read"
        assert self.faults == []

    def _on_reading(self, reading: Reading) -> None:
        with self._changed:
            self.readings.append(reading)
            self._changed.notify_all()

    def _on_fault(self, fault: Exception) -> None:
        with self._changed:
            self.faults.append(fault)
            self._changed.notify_all()

    def _on_end(self) -> None:
        with self._changed:
            self.ends += 1
            self._changed.notify_all()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Give a bench whose lane is stopped afterwards."""
    bench = Bench()
    yield bench
    if bench.lane is not None:
        assert bench.lane.stop()


@pytest.fixture(scope="session")
def twelve() -> list[str]:
    """Give twelve texts as long as a full ticket code."""
    return [f"T{number:02d}:" + (ALPHANUMERIC * 6)[number : number + 215] for number in range(12)]


@pytest.fixture(scope="session")
def film_path(twelve: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a film in which the twelve come to the gate one after the other."""
    path = tmp_path_factory.mktemp("film") / "queue.avi"
    render_film(film_of(twelve, seed=6), path)
    return path


@pytest.fixture(scope="session")
def short_film_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a film of 60 small pictures at 20 a second."""
    people = (Person(text="ONE", frames=20, pause_frames=10), Person(text="TWO", frames=20, pause_frames=10))
    path = tmp_path_factory.mktemp("film") / "short.avi"
    render_film(Film(people=people, width=640, height=360, fps=20), path)
    return path
