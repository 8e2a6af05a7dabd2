"""A turnstile on a small computer's pins: a line that opens it and, if it has one, a contact that closes when somebody passes."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from gate.turnstile import Happened, TurnstileStuck
from shared.problems import InputUnusable

PULSE_S = 0.5
"""How long the line is held: most turnstiles take anything from a fifth of a second."""

TURN_WITHIN_S = 8.0
"""How long the way stays open for somebody to go through; afterwards the opening was not used."""

_DEBOUNCE = timedelta(milliseconds=20)
_CHOICE = re.compile(r"gpio:(?P<chip>[^:]+):(?P<line>\d{1,4})(?::(?P<contact>\d{1,4}))?")

Heard = Callable[[Happened, int | None], None]


class Pins(Struct, frozen=True, kw_only=True):
    """Which pins: a chip's device, the line that opens, and the contact's line where there is one."""

    chip: Path
    line: int
    contact: int | None = None
    pulse_s: float = PULSE_S


class Lines(Protocol):
    """The pins, held by this program."""

    def drive(self, *, active: bool) -> None:
        """Set the line that opens. Raises OSError."""
        ...

    def watch(self, turned: Callable[[], None]) -> None:
        """Have somebody told each time the contact closes; for pins that have one."""
        ...

    def close(self) -> None:
        """Leave the line inactive and let go of the pins; closing twice is fine."""
        ...


class PinBarrier:
    """Holds the line for half a second for each opening; where a contact tells, says of each whether somebody went through.

    It does not say of which: several may stand open at once.
    """

    def __init__(self, lines: Lines, pins: Pins, heard: Heard, turn_within_s: float = TURN_WITHIN_S) -> None:
        self._lines = lines
        self._pins = pins
        self._heard = heard
        self._turn_within_s = turn_within_s
        self._waiting: deque[asyncio.TimerHandle] = deque()
        if pins.contact is not None:
            lines.watch(self._turned)

    async def open(self, gate_seq: int) -> None:
        """Open once; ``gate_seq`` is of no use to a wire.

        Raises:
            TurnstileStuck: the line cannot be set.
        """
        try:
            self._lines.drive(active=True)
            try:
                if self._pins.contact is not None:
                    self._wait_for_turn()
                await asyncio.sleep(self._pins.pulse_s)
            finally:
                self._lines.drive(active=False)
        except OSError as exc:
            raise TurnstileStuck(
                f"Line {self._pins.line} of {self._pins.chip} cannot be set for record {gate_seq} ({exc.strerror}): "
                "open by hand, and check --turnstile."
            ) from exc

    async def close(self) -> None:
        """Let go of the pins; openings nobody has used yet are not waited for."""
        for patience in self._waiting:
            patience.cancel()
        self._waiting.clear()
        self._lines.close()

    def _wait_for_turn(self) -> None:
        loop = asyncio.get_running_loop()
        self._waiting.append(loop.call_later(self._turn_within_s, self._give_up))

    def _give_up(self) -> None:
        # All wait equally long: the oldest is over first.
        self._waiting.popleft()
        self._heard(Happened.UNUSED, None)

    def _turned(self) -> None:
        if self._waiting:
            self._waiting.popleft().cancel()
        self._heard(Happened.TURNED, None)


class GpiodLines:
    """The pins through libgpiod, which Linux has for every small computer."""

    def __init__(self, gpiod: Any, pins: Pins) -> None:
        self._gpiod = gpiod
        self._pins = pins
        out = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT, output_value=gpiod.line.Value.INACTIVE)
        config = {pins.line: out}
        if pins.contact is not None:
            # A contact to ground: the pin is pulled up, and closing it is the active edge.
            config[pins.contact] = gpiod.LineSettings(
                direction=gpiod.line.Direction.INPUT,
                edge_detection=gpiod.line.Edge.RISING,
                bias=gpiod.line.Bias.PULL_UP,
                active_low=True,
                debounce_period=_DEBOUNCE,
            )
        self._request = gpiod.request_lines(str(pins.chip), consumer="tickettoken-gate", config=config)
        self._watched: int | None = None

    def drive(self, *, active: bool) -> None:
        """Set the line that opens. Raises OSError."""
        value = self._gpiod.line.Value
        self._request.set_value(self._pins.line, value.ACTIVE if active else value.INACTIVE)

    def watch(self, turned: Callable[[], None]) -> None:
        """Have somebody told each time the contact closes."""

        def read() -> None:
            for _ in self._request.read_edge_events():
                turned()

        self._watched = self._request.fd
        asyncio.get_running_loop().add_reader(self._request.fd, read)

    def close(self) -> None:
        """Leave the line inactive and let go of the pins."""
        if self._request is None:
            return
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched)
        with contextlib.suppress(OSError):
            self.drive(active=False)
        self._request.release()
        self._request = None


def parse_pins(text: str) -> Pins | None:
    """Return the pins a person named as ``gpio:CHIP:LINE`` or ``gpio:CHIP:LINE:CONTACT``; None for anything not of that kind.

    Raises:
        InputUnusable: it is of that kind and means nothing.
    """
    if not text.startswith("gpio:"):
        return None
    found = _CHOICE.fullmatch(text)
    if found is None or found["line"] == found["contact"]:
        raise InputUnusable(
            f"{text} names no pins: write gpio:CHIP:LINE, such as gpio:/dev/gpiochip0:17, and :CONTACT after it if "
            "the turnstile says when somebody passes."
        )
    contact = int(found["contact"]) if found["contact"] else None
    return Pins(chip=Path(found["chip"]), line=int(found["line"]), contact=contact)


def take_pins(pins: Pins) -> Lines:
    """Return the pins, held.

    Raises:
        InputUnusable: this machine has no library for pins, no such chip or line, or they are somebody else's.
    """
    try:
        # Loaded here: only computers with pins have it, and it is no part of what the gate installs.
        import gpiod  # noqa: PLC0415
    except ImportError as exc:
        raise InputUnusable(
            "The library for pins is not there: install gpiod 2 (./run python -m pip install gpiod), or open the turnstile with "
            "--open-command."
        ) from exc
    try:
        return GpiodLines(gpiod, pins)
    except (OSError, ValueError) as exc:
        raise InputUnusable(f"The pins of {pins.chip} cannot be used ({exc}): check --turnstile.") from exc
