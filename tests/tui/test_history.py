"""The history tells how each of the last scans ended, and lets a supervisor put one right from there."""

from __future__ import annotations

from uuid import UUID

import pytest

from gate.tui.screens.choice import ChoiceScreen
from gate.tui.screens.history import HistoryScreen
from gate.tui.screens.lane import LaneScreen
from gate.tui.screens.pin import PinScreen
from shared.admission.override import OverrideReason, UndoReason
from shared.ids import ScanId
from shared.problems import Unavailable
from tests.tui.scripted import STALE
from tests.tui.scripted_staff import ANNA, PIN
from tests.tui.stage import Setting, staged

NEWEST_REFUSAL, NEWEST_ADMISSION = ScanId(UUID(int=800)), ScanId(UUID(int=801))


async def test_line_says_how_it_ended_and_the_marked_one_says_all() -> None:
    async with staged() as stage:
        await stage.press("h", "down", "down", "down")
        text = stage.text()
        assert "19:41:37 ! used         b54cda58  let in 19:42:25, supervisor" in text
        assert "Record 1 244, 19:41:37, code b54cda58fbbee87e" in text
        assert "let in 19:42:25, supervisor: The ID fits the ticket" in text
        await stage.press("down")
        assert "A supervisor signed in" in stage.text()
        await stage.press("end")
        assert "Record 1 208" in stage.text()
        await stage.press("escape")
        assert isinstance(stage.app.screen, LaneScreen)


async def test_refusal_is_overridden_from_the_history_after_a_pin() -> None:
    async with staged() as stage:
        await stage.press("h")
        assert "let this guest in (supervisor)" in stage.text()
        await stage.press("enter")
        assert isinstance(stage.app.screen, PinScreen)
        await stage.press(*PIN, "enter")
        await stage.press("4")
        assert stage.view.staff.asked[-1] == ("override", NEWEST_REFUSAL, OverrideReason.PHONE_BROKEN)
        assert "✓ GO" in stage.text()


async def test_wrong_pin_or_none_does_nothing() -> None:
    async with staged() as stage:
        await stage.press("h", "enter", "9", "enter", "escape")
        assert [asked[0] for asked in stage.view.staff.asked] == ["sign_in"]
        assert isinstance(stage.app.screen, LaneScreen)


async def test_admission_is_taken_back_by_mouse() -> None:
    async with staged() as stage:
        stage.view.staff.present = ANNA
        await stage.press("h", "down")
        lines = stage.text().splitlines()
        row = next(at for at, line in enumerate(lines) if "take this admission back" in line)
        await stage.pilot.click(offset=(lines[row].index("take this"), row))
        await stage.pilot.pause()
        assert isinstance(stage.app.screen, ChoiceScreen)
        await stage.press("2")
        assert stage.view.staff.asked[-1] == ("undo", NEWEST_ADMISSION, UndoReason.GUEST_TURNED_BACK)


async def test_record_that_cannot_be_put_right_offers_nothing() -> None:
    async with staged() as stage:
        stage.view.staff.present = ANNA
        await stage.press("h", *("down",) * 7)
        assert "This code is not genuine" in stage.text()
        assert "(supervisor)" not in stage.text()
        await stage.press("enter")
        assert isinstance(stage.app.screen, HistoryScreen)
        assert stage.view.staff.asked == []


async def test_scan_closes_the_history() -> None:
    async with staged() as stage:
        await stage.press("h")
        await stage.scan(STALE)
        assert isinstance(stage.app.screen, LaneScreen)
        assert "✗ STOP" in stage.text()


async def test_failing_disk_is_told_when_something_is_put_right() -> None:
    async with staged() as stage:
        stage.view.staff.present = ANNA
        stage.view.staff.problem = Unavailable("the disk is full")
        await stage.press("h", "enter", "1")
        assert "That was not done: the disk is full" in stage.text()


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_gate_without_a_record_says_so(size: tuple[int, int]) -> None:
    async with staged(setting=Setting(size=size)) as stage:
        stage.view.staff.past = ()
        await stage.press("h")
        assert "Nothing has happened at this gate yet." in stage.text()
        await stage.press("enter", "h")
        assert isinstance(stage.app.screen, LaneScreen)
