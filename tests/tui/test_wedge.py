"""A reader that types works whatever is on the screen, and no letter of a code does what its key does."""

from __future__ import annotations

import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace
from textual.events import Key
from textual.screen import Screen
from textual.widgets import Input

from gate.outcome import Outcome
from gate.tui.screens.choice import ChoiceScreen
from gate.tui.screens.closed import ClosedScreen
from gate.tui.screens.history import HistoryScreen
from gate.tui.screens.lane import LaneScreen
from gate.tui.screens.overlay import CodeScreen, HelpScreen, QuitScreen
from gate.tui.screens.peek import PeekScreen
from gate.tui.screens.pin import PinScreen
from gate.wedge import WedgeTimes
from tests.tui.scripted import ADMITTED, STALE, ScriptedView, fixed_display
from tests.tui.scripted_staff import PIN
from tests.tui.stage import Setting, Stage, staged

TIMES = WedgeTimes()
EVERY_KEY = string.ascii_lowercase + "? 123" + string.ascii_uppercase  # whatever any key does


class Reader:
    """Types on a stage with the stage's own clock; what is held back is let go only when a test says so."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def read(self, text: str, end: str = "enter") -> None:
        """Type a code as a reader does."""
        keys = [(char, char) for char in text] + ([(end, None)] if end else [])
        for number, (name, written) in enumerate(keys, 1):
            self._post(name, written, number * 0.002)
        await self._stage.pilot.pause()
        # Only now: a look in between, however late the keys are heard of, must not find them long past.
        self._stage.clock.advance(timedelta(seconds=len(keys) * 0.002))

    async def press(self, *keys: str) -> None:
        """Press keys as a person does."""
        for name in keys:
            self._stage.clock.advance(timedelta(seconds=0.3))
            self._post(name, name if len(name) == 1 else None, 0.0)
            await self._stage.pilot.pause()
            await self.wait(TIMES.gap_s + 0.01)

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._stage.clock.advance(timedelta(seconds=seconds))
        keys = self._stage.app.keys_first
        assert keys is not None
        await keys.look()
        await self._stage.pilot.pause()

    def _post(self, name: str, text: str | None, after_s: float) -> None:
        key = Key(name, text)
        key.time = self._stage.clock.monotonic() + after_s
        self._stage.app.post_message(key)


def decide(text: str) -> Outcome:
    """Admit one code and refuse all others."""
    return ADMITTED if text == "GOOD1" else STALE


@asynccontextmanager
async def with_reader(keymap: dict[str, str] | None = None) -> AsyncIterator[tuple[Stage, Reader]]:
    """Set a stage with a reader beside it."""
    setting = Setting(display=replace(fixed_display(), wedge=TIMES), keymap=keymap or {})
    async with staged(ScriptedView(decide=decide), setting) as stage:
        yield stage, Reader(stage)


async def test_code_is_decided_on_without_a_key_before_it_and_presses_none() -> None:
    async with with_reader() as (stage, reader):
        await reader.read(EVERY_KEY)
        assert stage.view.submitted == [EVERY_KEY]
        assert stage.card().word == "STOP"
        await reader.read("GOOD1")
        await reader.read("", end="enter")
        await reader.wait(9)
        assert stage.view.submitted == [EVERY_KEY, "GOOD1"]
        assert isinstance(stage.app.screen, LaneScreen)
        assert "SOUND OFF" not in stage.text()
        assert stage.app.is_running


@pytest.mark.parametrize(
    ("keys", "screen"),
    [
        (("f1",), HelpScreen),
        (("q",), QuitScreen),
        (("c",), ClosedScreen),
        (("s",), PinScreen),
        (("s", *PIN, "enter"), ChoiceScreen),
        (("o",), ChoiceScreen),
        (("h",), HistoryScreen),
    ],
)
async def test_code_is_read_above_every_screen_and_answers_no_question(
    keys: tuple[str, ...], screen: type[Screen[object]]
) -> None:
    async with with_reader() as (stage, reader):
        await reader.press(*keys)
        assert isinstance(stage.app.screen, screen)
        asked = len(stage.view.staff.asked)
        await reader.read("YJN123" + EVERY_KEY)
        assert stage.view.submitted == ["YJN123" + EVERY_KEY]
        assert isinstance(stage.app.screen, (screen, LaneScreen))
        assert len(stage.view.staff.asked) == asked
        assert stage.app.is_running
        assert stage.view.staff.open is (screen is not ClosedScreen)


async def test_code_goes_into_an_empty_line_and_past_one_that_is_written_in() -> None:
    async with with_reader() as (stage, reader):
        await reader.press("t")
        await reader.read("GOOD1")
        assert stage.view.submitted == ["GOOD1"]
        assert isinstance(stage.app.screen, LaneScreen)
        await reader.press("t", "K", "7")
        await reader.read("SECOND")
        assert stage.view.submitted == ["GOOD1", "SECOND"]
        assert stage.app.screen.query_one(Input).value == "K7"


async def test_code_is_only_looked_at_while_the_page_for_looking_is_open() -> None:
    async with with_reader() as (stage, reader):
        await reader.press("p")
        assert isinstance(stage.app.screen, PeekScreen)
        await reader.read("inside!")
        await reader.press("K")
        await reader.read("PAST1")
        assert [asked[1] for asked in stage.view.staff.asked] == ["inside!", "PAST1"]


async def test_supervisor_who_types_as_fast_as_a_reader_signs_in() -> None:
    async with with_reader() as (stage, reader):
        await reader.press("s")
        await reader.read(PIN)
        assert stage.view.staff.asked[0][0] == "sign_in"
        assert stage.view.submitted == []


async def test_part_of_a_code_presses_nothing_and_is_told() -> None:
    async with with_reader() as (stage, reader):
        await reader.read("qyTSC", end="")
        await reader.wait(TIMES.pause_s + 0.01)
        assert isinstance(stage.app.screen, LaneScreen)
        assert stage.view.submitted == []
        assert "only part of a code" in stage.text()


async def test_keys_that_were_moved_work_and_so_does_the_reader() -> None:
    async with with_reader({"code": "x", "peek": "g"}) as (stage, reader):
        await reader.read("XGTPX")
        assert stage.view.submitted == ["XGTPX"]
        await reader.press("t", "p")
        assert isinstance(stage.app.screen, LaneScreen)
        await reader.press("x")
        assert isinstance(stage.app.screen, CodeScreen)
        await reader.press("escape", "g")
        assert isinstance(stage.app.screen, PeekScreen)
