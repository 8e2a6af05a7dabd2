"""The lane can be worked by key and by mouse, and nothing laid over it keeps a guest waiting."""

from __future__ import annotations

import pytest

from gate.tui.screens.lane import LaneScreen
from gate.tui.screens.overlay import CodeScreen, HelpScreen, QuitScreen
from shared.problems import Unavailable
from tests.tui.scripted import ADMITTED, STALE, USED, ScriptedView
from tests.tui.stage import staged


async def test_muted_lane_is_silent_and_says_so() -> None:
    async with staged() as stage:
        assert "SOUND OFF" not in stage.text()
        await stage.press("m")
        await stage.scan(STALE)
        assert stage.app.rung == 0
        assert "SOUND OFF" in stage.text()
        await stage.press("m")
        await stage.scan(STALE)
        assert stage.app.rung == 1


async def test_space_puts_the_answer_away() -> None:
    async with staged() as stage:
        await stage.scan(STALE)
        await stage.press("space")
        assert stage.card().word == "READY"


async def test_language_key_retells_the_answer_on_screen() -> None:
    async with staged() as stage:
        await stage.scan(USED)
        await stage.press("l")
        text = stage.text()
        assert "! PRÜFE:" in text
        assert "schon drin: 19:42:07 an North 2" in text
        assert "letzte Scans" in text
        assert "Hilfe" in text
        await stage.press("l")
        assert "! LOOK:" in stage.text()


async def test_typed_code_reaches_the_gate_and_its_answer_the_screen() -> None:
    view = ScriptedView(decide=lambda text: STALE if text == "AB 1" else ADMITTED)
    async with staged(view) as stage:
        await stage.press("t", "A", "B", "space", "1", "enter")
        assert view.submitted == ["AB 1"]
        assert stage.card().word == "STOP"


async def test_nothing_typed_is_nothing_asked() -> None:
    async with staged() as stage:
        await stage.press("t", "space", "enter")
        await stage.press("t", "x", "escape")
        assert stage.view.submitted == []
        assert isinstance(stage.app.screen, LaneScreen)


async def test_typed_code_the_gate_cannot_check_is_told() -> None:
    view = ScriptedView()
    view.problem = Unavailable("the log is full: [free] some space")
    async with staged(view) as stage:
        await stage.press("t", "x", "enter")
        assert "log is full: [free] some space" in stage.text()


async def test_scan_is_seen_above_a_code_being_typed_and_keeps_it() -> None:
    async with staged() as stage:
        await stage.press("t", "A", "B")
        await stage.scan(STALE)
        assert isinstance(stage.app.screen, CodeScreen)
        assert "✗ STOP" in stage.text()
        assert "AB" in stage.text()


@pytest.mark.parametrize(("key", "screen"), [("f1", HelpScreen), ("q", QuitScreen)])
async def test_scan_closes_what_is_laid_over_the_lane(key: str, screen: type[HelpScreen | QuitScreen]) -> None:
    async with staged() as stage:
        await stage.press(key)
        assert isinstance(stage.app.screen, screen)
        await stage.scan(STALE)
        assert isinstance(stage.app.screen, LaneScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
async def test_leaving_asks_first(key: str) -> None:
    async with staged() as stage:
        await stage.press(key)
        assert "Leave the gate?" in stage.text()
        await stage.press("n")
        assert isinstance(stage.app.screen, LaneScreen)
        assert stage.app.is_running
        await stage.press(key, "y")
        assert not stage.app.is_running


async def test_click_on_a_key_does_what_the_key_does() -> None:
    async with staged() as stage:
        row = stage.text().splitlines()[-1]
        await stage.pilot.click("#keys", offset=(row.index("Help"), 0))
        await stage.pilot.pause()
        assert isinstance(stage.app.screen, HelpScreen)
