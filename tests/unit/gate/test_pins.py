"""A turnstile on pins: the line is held and let go for each opening, and its contact says who went through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gate.gpio import PinBarrier, Pins, parse_pins, take_pins
from gate.turning import choose_turnstile
from gate.turnstile import Happened, TurnstileStuck
from shared.problems import InputUnusable

CHIP = Path("/dev/gpiochip0")


class FakeLines:
    """Pins without a computer around them: what was set is kept, and the contact is closed by the test."""

    def __init__(self) -> None:
        self.driven: list[bool] = []
        self.broken = False
        self.closed = 0
        self.turn: Callable[[], None] | None = None

    def drive(self, *, active: bool) -> None:
        """Set the line that opens."""
        if self.broken:
            raise OSError(5, "Input/output error")
        self.driven.append(active)

    def watch(self, turned: Callable[[], None]) -> None:
        """Have the test's contact told."""
        self.turn = turned

    def close(self) -> None:
        """Let go."""
        self.closed += 1


class Ear:
    """Keeps what was heard, and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: list[tuple[Happened, int | None]] = []
        self._changed = asyncio.Event()

    def __call__(self, what: Happened, gate_seq: int | None) -> None:
        """Take a piece of news."""
        self.heard.append((what, gate_seq))
        self._changed.set()

    async def until(self, count: int) -> None:
        """Wait until so much was heard."""
        async with asyncio.timeout(20):
            while len(self.heard) < count:
                self._changed.clear()
                await self._changed.wait()


async def test_line_is_held_and_let_go_and_the_contact_says_that_somebody_went_through() -> None:
    lines, ear = FakeLines(), Ear()
    barrier = PinBarrier(lines, Pins(chip=CHIP, line=17, contact=27, pulse_s=0.01), ear, turn_within_s=3600)
    await barrier.open(4)
    assert lines.driven == [True, False]
    assert lines.turn is not None
    lines.turn()
    lines.turn()  # somebody squeezes through behind: nobody's opening
    assert ear.heard == [(Happened.TURNED, None)] * 2
    await barrier.close()
    assert lines.closed == 1


async def test_each_opening_nobody_uses_is_told_after_a_while_and_not_before() -> None:
    lines, ear = FakeLines(), Ear()
    pins = Pins(chip=CHIP, line=17, contact=27, pulse_s=0.01)
    patient = PinBarrier(lines, pins, ear, turn_within_s=3600)
    await patient.open(1)
    await patient.open(2)
    assert ear.heard == []  # the next guest's opening does not end the first one's
    assert lines.turn is not None
    lines.turn()
    assert ear.heard == [(Happened.TURNED, None)]
    await patient.close()
    hasty = PinBarrier(lines, pins, ear, turn_within_s=0.05)
    await hasty.open(3)
    await hasty.open(4)
    await ear.until(3)
    assert ear.heard[1:] == [(Happened.UNUSED, None)] * 2
    await hasty.close()


async def test_pins_without_a_contact_say_nothing_of_who_went_through() -> None:
    lines, ear = FakeLines(), Ear()
    barrier = PinBarrier(lines, Pins(chip=CHIP, line=17, pulse_s=0.01), ear, turn_within_s=0.0)
    await barrier.open(1)
    await barrier.open(2)
    assert (lines.driven, lines.turn, ear.heard) == ([True, False] * 2, None, [])


async def test_line_that_cannot_be_set_is_stuck_and_the_next_opening_is_tried() -> None:
    lines, ear = FakeLines(), Ear()
    barrier = PinBarrier(lines, Pins(chip=CHIP, line=17, contact=27, pulse_s=0.01), ear)
    lines.broken = True
    with pytest.raises(TurnstileStuck, match="Line 17 of /dev/gpiochip0"):
        await barrier.open(1)
    lines.broken = False
    await barrier.open(2)
    assert lines.driven == [True, False]
    await barrier.close()
    assert ear.heard == []


@pytest.mark.parametrize("text", ["gpio:", "gpio:/dev/gpiochip0", "gpio:/dev/gpiochip0:x", "gpio:/dev/gpiochip0:5:5"])
def test_pins_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(InputUnusable, match="names no pins"):
        parse_pins(text)


def test_pins_are_named_with_or_without_a_contact() -> None:
    assert parse_pins("gpio:/dev/gpiochip0:17") == Pins(chip=CHIP, line=17)
    assert parse_pins("gpio:/dev/gpiochip0:17:27") == Pins(chip=CHIP, line=17, contact=27)
    assert parse_pins("/dev/ttyUSB0") is None


def test_pins_this_machine_does_not_have_are_refused_before_the_first_scan() -> None:
    with pytest.raises(InputUnusable, match=r"library for pins|cannot be used"):
        take_pins(Pins(chip=Path("/dev/gpiochip999"), line=1))
    with pytest.raises(InputUnusable):
        choose_turnstile(None, Path("gpio:/dev/gpiochip999:1"), drill=False)
