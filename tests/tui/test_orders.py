"""The gate's screen shows what the organiser ordered: out of order and why, and messages until they are read."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from gate.orders import StaffNotice
from gate.tui.screens.held import HeldScreen, NoticeScreen
from shared.clock import unix_ms
from shared.ids import CommandId
from tests.tui.scripted import ADMITTED, NOW, ONLINE, ScriptedView
from tests.tui.stage import Setting, Stage, staged

REASON = "Lift broken: send everybody to gate South"
NOTICES = tuple(
    StaffNotice(command=CommandId(UUID(int=number)), text=text, at_ms=unix_ms(NOW))
    for number, text in enumerate(("Doors in 5 minutes", "Rain coat stand moved\x1b[2J"))
)


async def look(stage: Stage) -> None:
    """Let the screen ask how the gate is."""
    stage.app.ordered.look()
    await stage.pilot.pause()


def on_lane(stage: Stage) -> bool:
    """Tell whether nothing covers the lane."""
    return stage.app.screen is stage.app.lane


async def test_held_gate_says_so_and_why_over_everything_and_the_staff_cannot_open_it() -> None:
    async with staged() as stage:
        stage.view.present = replace(ONLINE, held=REASON)
        await look(stage)
        await look(stage)
        assert isinstance(stage.app.screen, HeldScreen)
        assert "Lift broken" in stage.text()
        assert "next gate" in stage.text()
        await stage.press("enter", "escape", "c", "t")
        assert isinstance(stage.app.screen, HeldScreen)
        stage.view.present = replace(ONLINE, held="Now the roof leaks")
        await look(stage)
        assert "Now the roof leaks" in stage.text()
        stage.view.present = ONLINE
        await look(stage)
        assert on_lane(stage)


async def test_message_stands_until_it_is_read_and_gives_way_to_a_guest() -> None:
    view = ScriptedView(replace(ONLINE, notices=NOTICES))
    async with staged(view, Setting(language="de")) as stage:
        await look(stage)
        assert "Doors in 5 minutes" in stage.text()
        assert "Nachricht vom Veranstalter" in stage.text()
        await stage.scan(ADMITTED)
        await look(stage)
        assert on_lane(stage)
        await stage.pass_time(10)
        await look(stage)
        await stage.press("enter")
        await look(stage)
        assert isinstance(stage.app.screen, NoticeScreen)
        assert "Rain coat stand moved" in stage.text()
        assert "\x1b" not in stage.text()
        await stage.press("enter")
        await look(stage)
        assert on_lane(stage)
        assert view.present.notices == ()


async def test_message_reaches_the_staff_of_a_held_gate() -> None:
    async with staged(ScriptedView(replace(ONLINE, held=REASON, notices=NOTICES[:1]))) as stage:
        await look(stage)
        await look(stage)
        assert isinstance(stage.app.screen, NoticeScreen)
        await stage.press("enter")
        await look(stage)
        assert isinstance(stage.app.screen, HeldScreen)
