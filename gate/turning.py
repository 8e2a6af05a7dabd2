"""The chosen turnstile at work beside the gate."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

from msgspec import Struct

from gate.barriers import CommandBarrier, Heard, LineBarrier, parse_command, try_line
from gate.gpio import PinBarrier, Pins, parse_pins, take_pins
from gate.outcome import Outcome
from gate.turnstile import Barrier, Happened, NewsSink, TakeBack, Turnstile
from shared.clock import Clock
from shared.problems import InputUnusable, TicketTokenError


class TurnstileChoice(Struct, frozen=True, kw_only=True):
    """How the way is opened: by a program with its arguments, by lines to a device, or by pins.

    With ``takes_back`` an admission after which nobody went through is taken back.
    """

    command: tuple[str, ...] = ()
    line: Path | None = None
    pins: Pins | None = None
    takes_back: bool = True


class Beside(Struct, frozen=True, kw_only=True, eq=False):
    """What a turnstile needs of the gate beside which it stands."""

    outcomes: AsyncIterator[Outcome]
    clock: Clock
    tell: NewsSink
    take_back: TakeBack


def choose_turnstile(
    command: str | None, line: Path | None, *, drill: bool, takes_back: bool = True
) -> TurnstileChoice | None:
    """Return what a person chose, None for no turnstile.

    Raises:
        InputUnusable: both at once, an unusable command or device, or a drill, whose guests are made up.
    """
    if command is None and line is None:
        return None
    if drill:
        raise InputUnusable("A drill opens no turnstile: leave --open-command and --turnstile out.")
    if command is not None and line is not None:
        raise InputUnusable("Give --open-command or --turnstile, not both: one admission opens once.")
    pins = parse_pins(str(line)) if line is not None else None
    if pins is not None:
        take_pins(pins).close()
        return TurnstileChoice(pins=pins, takes_back=takes_back)
    if line is not None:
        try_line(line)
    words = parse_command(command) if command is not None else ()
    return TurnstileChoice(command=words, line=line, takes_back=takes_back)


async def run_beside(choice: TurnstileChoice | None, gate: Beside, work: Awaitable[None]) -> None:
    """Do the gate's work with its turnstile, if one was chosen, opening for its outcomes.

    Raises:
        TicketTokenError: what ended the work.
    """
    if choice is None:
        await work
        return
    turnstile, fault = _make(choice, gate), None
    async with asyncio.TaskGroup() as group:
        group.create_task(turnstile.run(gate.outcomes))
        try:
            await work
        except TicketTokenError as problem:
            fault = problem
    if fault is not None:
        raise fault


def _make(choice: TurnstileChoice, gate: Beside) -> Turnstile:
    heard: list[Heard] = []

    def hear(what: Happened, gate_seq: int | None) -> None:
        for listener in heard:
            listener(what, gate_seq)

    barrier = _make_barrier(choice, hear)
    turnstile = Turnstile(barrier, gate.clock, gate.tell, gate.take_back if choice.takes_back else None)
    heard.append(turnstile.hear)
    if isinstance(barrier, LineBarrier):
        barrier.attach()
    return turnstile


def _make_barrier(choice: TurnstileChoice, hear: Heard) -> Barrier:
    if choice.pins is not None:
        return PinBarrier(take_pins(choice.pins), choice.pins, hear)
    if choice.line is not None:
        return LineBarrier(choice.line, hear)
    return CommandBarrier(choice.command, os.environ)
