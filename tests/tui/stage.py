"""A lane on a stage: the real program on a terminal in memory, with a scripted gate and a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace
from textual.pilot import Pilot

from gate.outcome import Outcome
from gate.tui.app import GateApp
from gate.tui.cards import Card
from gate.tui.display import Display
from gate.tui.widgets.verdict import VerdictPanel
from shared.clock import ManualClock
from tests.tui.scenes import read_text
from tests.tui.scripted import NOW, ScriptedView, fixed_display


class HeardApp(GateApp):
    """The program, whose bell can be counted."""

    rung = 0

    def bell(self) -> None:
        """Count a ring."""
        self.rung += 1


class Setting(Struct, frozen=True, kw_only=True):
    """How a stage is set."""

    size: tuple[int, int] = (80, 24)
    language: str = "en"
    display: Display | None = None
    keymap: dict[str, str] = {}


class Stage:
    """What a test does with the lane and sees of it."""

    def __init__(self, app: HeardApp, view: ScriptedView, clock: ManualClock, pilot: Pilot[None]) -> None:
        self.app = app
        self.view = view
        self.clock = clock
        self.pilot = pilot

    async def scan(self, *outcomes: Outcome) -> None:
        """Let the gate decide, and wait until the screen has heard."""
        for outcome in outcomes:
            self.view.tell(outcome)
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys and wait until they had their effect."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def pass_time(self, seconds: float) -> None:
        """Move the clock and let the lane's own timer come round."""
        self.clock.advance(timedelta(seconds=seconds))
        self.app.lane.tick()
        await self.pilot.pause()

    def text(self) -> str:
        """Return the whole screen as text."""
        return read_text(self.app.export_screenshot())

    def panel(self) -> VerdictPanel:
        """Return the big panel."""
        return self.app.lane.query_one(VerdictPanel)

    def card(self) -> Card:
        """Return what the big panel shows."""
        card = self.panel().card
        assert card is not None
        return card


@asynccontextmanager
async def staged(view: ScriptedView | None = None, setting: Setting | None = None) -> AsyncIterator[Stage]:
    """Run the lane until the block ends."""
    setting = setting or Setting()
    view = view or ScriptedView()
    clock = ManualClock(NOW)
    display = replace(setting.display or fixed_display(), clock=clock, keys_clock=clock.monotonic)
    # Finding its own style sheet on disk, once, is the only thing a program does that the guard would take for blocking.
    app = await asyncio.to_thread(HeardApp, view, setting.language, display)
    app.set_keymap(setting.keymap)
    async with asyncio.timeout(30), app.run_test(size=setting.size, notifications=True) as pilot:
        await pilot.pause()
        yield Stage(app, view, clock, pilot)
