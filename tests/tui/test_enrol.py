"""A machine that is no gate yet asks for the server and a one-time code, and says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec import Struct
from textual.pilot import Pilot

from gate.catalogue.texts import load_catalogue
from gate.tui.cards import Wording
from gate.tui.enrol import EnrolApp, Enrolled
from shared.problems import NotFound
from tests.tui.scenes import read_text
from tests.tui.scripted import fixed_display


class Office(Struct, kw_only=True, eq=False):
    """A server that takes its time; it knows one code."""

    asked: list[tuple[str, str]] = []
    answer: asyncio.Event
    enrolled: Enrolled = Enrolled(gate="North 1", event="Harbour Lights 2026", clock_offset_s=1.0)

    async def enrol(self, server: str, code: str) -> Enrolled:
        """Answer when it is time."""
        self.asked.append((server, code))
        await self.answer.wait()
        if code != "TT1-7Q2F":
            raise NotFound("There is no such code, or it was used: ask the organiser for another.")
        return self.enrolled


class Machine(Struct, frozen=True, kw_only=True, eq=False):
    """The screen, and who answers it."""

    app: EnrolApp
    pilot: Pilot[bool]
    office: Office

    async def press(self, *keys: str) -> str:
        """Press keys and return the screen's words, its lines joined."""
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.read()

    async def told(self) -> str:
        """Wait for the server's answer and return the screen's words."""
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()
        return self.read()

    async def left(self) -> bool | None:
        """Wait until the screen is left and return how."""
        while self.app.return_value is None:
            await self.pilot.pause()
        return self.app.return_value

    def read(self) -> str:
        """Return the screen's words, its lines joined."""
        return " ".join(read_text(self.app.export_screenshot()).replace("┃", " ").split())


@asynccontextmanager
async def machine(enrolled: Enrolled | None = None) -> AsyncIterator[Machine]:
    """Run the screen of a machine that is no gate."""
    office = Office(asked=[], answer=asyncio.Event())
    office.enrolled = enrolled or office.enrolled
    office.answer.set()
    wording = Wording(catalogue=load_catalogue("en"), display=fixed_display())
    app = await asyncio.to_thread(EnrolApp, office.enrol, wording)
    async with asyncio.timeout(30), app.run_test() as pilot:
        await pilot.pause()
        yield Machine(app=app, pilot=pilot, office=office)


async def test_address_and_code_make_a_gate_and_enter_begins_to_scan() -> None:
    async with machine() as at:
        assert "This computer is not a gate yet" in await at.press()
        await at.press(*"door.example", "enter", *"TT1-7Q2F", "enter")
        told = await at.told()
        assert at.office.asked == [("https://door.example", "TT1-7Q2F")]
        assert "This computer is now the gate North 1 of Harbour Lights 2026." in told
        assert "clock" not in told
        await at.press("enter")
        assert await at.left() is True


async def test_refusal_is_told_and_what_was_typed_stays() -> None:
    async with machine() as at:
        await at.press(*"door.example", "enter", *"TT1-7Q2", "enter")
        told = await at.told()
        assert "Not enrolled: There is no such code, or it was used" in told
        assert "door.example" in told
        await at.press("F", "enter")
        assert "now the gate North 1" in await at.told()
        assert [code for _, code in at.office.asked] == ["TT1-7Q2", "TT1-7Q2F"]


async def test_nothing_is_asked_twice_or_half() -> None:
    async with machine() as at:
        await at.press("enter", *"TT1-7Q2F", "enter")
        assert at.office.asked == []
        at.office.answer.clear()
        await at.press(*"door.example", "enter", "enter", "enter")
        assert "Asking the server" in await at.press()
        at.office.answer.set()
        assert "now the gate" in await at.told()
        assert at.office.asked == [("https://door.example", "TT1-7Q2F")]


@pytest.mark.parametrize("key", ["escape", "ctrl+q", "ctrl+c"])
async def test_leaving_enrols_nobody(key: str) -> None:
    async with machine() as at:
        await at.press(*"door.example", key)
        assert await at.left() is False
        assert at.office.asked == []


async def test_names_from_afar_and_a_wrong_clock_are_told_plainly() -> None:
    strange = Enrolled(gate="No\x1b[2Jrth\u202e 1", event="[bold]Gala[/]\n" + "x" * 500, clock_offset_s=3599.6)
    async with machine(strange) as at:
        await at.press(*"door.example", "enter", *"TT1-7Q2F", "enter")
        told = await at.told()
        assert "the gate No[2Jrth 1 of [bold]Gala[/] xxx" in told
        assert "Its clock is 3600 s ahead of the server's" in told
