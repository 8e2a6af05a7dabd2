"""Codes as lines of standard input."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from gate.lines import LineEvents, LineSource
from shared.codes import base45


class Listener:
    """Keeps what a line source tells."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.faults: list[Exception] = []
        self.ended = threading.Event()
        self.heard = threading.Event()

    def events(self) -> LineEvents:
        """Return what to give to the source."""
        return LineEvents(on_text=self._hear, on_fault=self.faults.append, on_end=self.ended.set)

    def _hear(self, text: str) -> None:
        self.texts.append(text)
        self.heard.set()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Give a pipe's two ends; a test may close the writing one."""
    read, write = os.pipe()
    yield read, write
    os.close(read)


def test_lines_are_cleaned_and_the_last_needs_no_end(pipe: tuple[int, int]) -> None:
    listener = Listener()
    source = LineSource(pipe[0], listener.events())
    os.write(pipe[1], b"ONE\r\n\n \n\tTWO\t\nTHR")
    os.write(pipe[1], b"EE\n\xff\nLAST")
    os.close(pipe[1])
    source.start()
    assert listener.ended.wait(5)
    assert listener.texts == ["ONE", "TWO", "THREE", "\ufffd", "LAST"]
    assert source.stop()
    assert not source.status().camera_alive


def test_code_that_begins_with_a_blank_keeps_it(pipe: tuple[int, int]) -> None:
    # One event in 45 has an identity with which each of its codes begins like that.
    text = base45.encode(bytes([16, 35, 1]))
    assert text.startswith(" ")
    listener = Listener()
    source = LineSource(pipe[0], listener.events())
    os.write(pipe[1], text.encode() + b"\r\n")
    os.close(pipe[1])
    source.start()
    assert listener.ended.wait(5)
    assert listener.texts == [text]
    assert source.stop()


def test_endless_line_does_not_fill_the_memory(pipe: tuple[int, int]) -> None:
    listener = Listener()
    source = LineSource(pipe[0], listener.events())
    source.start()
    for _ in range(64):
        os.write(pipe[1], b"x" * 4096)
    os.write(pipe[1], b"\nGOOD\n")
    os.close(pipe[1])
    assert listener.ended.wait(5)
    assert listener.texts[-1] == "GOOD"
    assert len(listener.texts[0]) < 100_000
    source.stop()


def test_reader_that_waits_can_be_stopped(pipe: tuple[int, int]) -> None:
    listener = Listener()
    source = LineSource(pipe[0], listener.events())
    source.start()
    os.write(pipe[1], b"ONE\n")
    assert listener.heard.wait(5)
    assert source.status().camera_alive
    assert source.stop()
    assert not listener.ended.is_set()
    assert listener.faults == []
    os.close(pipe[1])
