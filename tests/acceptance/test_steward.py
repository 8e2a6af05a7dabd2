"""A steward's evening on a real terminal: enrol, scan, refuse, decide, take back, look, lose the network, get it back, close.

A turnstile stands at the lane, and once nobody goes through it.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from gate.film.script import Film, Person
from gate.film.writer import render_film
from server.demo.box_office import BoxOffice, Json
from server.demo.cable import Cable, laid_cable
from server.demo.phones import Phone
from shared.codes.token import read_text, unpack_token, write_wedge_token
from tests.acceptance.house import House, fresh_place, open_house
from tests.acceptance.programs import gate_command
from tests.integration.gate.line import Line
from tests.tui.terminal import Terminal, opened

pytestmark = pytest.mark.alone

PIN = "730518"
TERMINAL = {
    "LANG": "C.UTF-8",
    "TERM": "tmux-256color",
    "TICKETTOKEN_GATE_LOG_LEVEL": "error",
    "PYTHONPATH": str(Path(__file__).parents[2]),
}


@pytest.fixture
def house() -> Iterator[House]:
    """Give a server of this test's own."""
    with fresh_place() as place, open_house(place / "server") as opened_house:
        yield opened_house


class Steward:
    """Somebody at a lane: types codes, presses keys, reads the screen."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    async def read_code(self, phone: Phone) -> None:
        """Read what a phone shows with a reader that types, on a keyboard with Caps Lock on: every letter is some key's."""
        shown = phone.show(datetime.now(UTC))
        await self._terminal.read(write_wedge_token(unpack_token(read_text(shown))).lower())

    async def type_code(self, phone: Phone, *, minutes_old: int = 0) -> None:
        """Type what a phone shows, or showed some minutes ago."""
        shown = phone.show(datetime.now(UTC) - timedelta(minutes=minutes_old))
        await self._terminal.press("t")
        await self.sees("Type or paste a ticket code")
        await self._terminal.type(write_wedge_token(unpack_token(read_text(shown))))

    async def does(self, *steps: tuple[str, str]) -> str:
        """Press one key after the other, each once what the one before it brought up is seen; return the last screen."""
        screen = ""
        for key, brings in steps:
            await self._terminal.press(key)
            screen = await self.sees(brings)
        return screen

    async def types(self, text: str) -> None:
        """Type something and Enter."""
        await self._terminal.type(text)

    async def types_anew(self, text: str) -> None:
        """Type something in place of what stands in the line, and Enter."""
        await self._terminal.press("C-u")
        await self._terminal.type(text)

    async def sees(self, text: str) -> str:
        """Wait until something is on the screen."""
        return await self._terminal.wait_for(text)

    async def goes_back(self, page: str) -> None:
        """Press Escape and wait until a page is gone: a key too soon after it would be another key to a terminal."""
        await self._terminal.press("Escape")
        await self._terminal.wait_until(lambda screen: page not in screen, f"the end of {page!r}")

    async def leaves(self) -> int:
        """Wait until the program has ended and return its exit status."""
        return await self._terminal.exit_code()


async def prepare(house: House, office: BoxOffice) -> tuple[str, list[Phone]]:
    """Name a supervisor, sell tickets, and return the code that makes a machine a gate."""
    wish: Json = {"name": "Anna Lindqvist", "pin": PIN, "eventId": str(house.event.event)}
    await office.call("POST", "/api/v1/supervisors", house.organiser(), wish)
    code = await office.enrolment_code(house.organiser(), house.event.event, "North 1")
    return code, await house.buy_phones(office, 3)


async def film(phone: Phone, folder: Path) -> None:
    """Let somebody hold a phone into the lane's camera."""
    made = folder.parent / "made.avi"
    person = Person(text=phone.show(datetime.now(UTC)), frames=20, pause_frames=2)
    await asyncio.to_thread(render_film, Film(people=(person,), seed=1), made)
    made.rename(folder / "guest.avi")


async def test_steward_works_an_evening_at_the_screen(house: House, tmp_path: Path) -> None:
    data, folder, line = tmp_path / "gate", tmp_path / "camera", Line()
    folder.mkdir()
    async with aiohttp.ClientSession() as session, laid_cable(house.port) as cable:
        office = BoxOffice(house.base_url, session)
        code, (filmed, late, third) = await prepare(house, office)
        async with opened(["sh"], tmp_path, TERMINAL) as terminal:
            steward = Steward(terminal)
            await steward.types(
                f"exec {write_command('run', '--data', str(data), '--source', str(folder), '--follow')}"
                f" --turnstile {line.path}"
            )
            await enrol(steward, cable, code)
            await steward.sees("● ONLINE")
            await scan_and_decide(steward, filmed, late, folder)
            await look_and_lose_the_network(steward, third, cable)
            await turn_back_and_come_again(steward, third, line)
            await cable.plug_in()
            await steward.sees("all sent")
            await steward.does(("c", "✗ CLOSED: This lane is closed."), ("Enter", "READY"))
            night = await steward.does(("q", "records are handed over"))
            assert "2 in, 0 out, 1 refused at this gate; 2 inside" in night
            await steward.does(("n", "READY"))
            await terminal.press("q")
            await terminal.press("y")
            assert await steward.leaves() == 0
        figures = await house.figures(office)
        scans = await house.read_all(office, "scans")
    assert (figures["entries"], figures["ticketsUsed"], figures["inside"]) == (2, 2, 2)
    reasons = Counter(str(scan["reason"]) for scan in scans)
    assert reasons == {"code_stale": 1, "ok": 4, "staff_action": 3, "undone": 2}
    undone_by = {str(scan["supervisor"]) for scan in scans if scan["reason"] == "undone"}
    assert "-" in undone_by
    assert len(undone_by) == 2
    line.close()
    assert figures["conflictsByClass"] == {}


def write_command(*arguments: str) -> str:
    """Return a command of the gate as somebody types it."""
    return shlex.join([sys.executable, *gate_command(*arguments)[1:]])


async def enrol(steward: Steward, cable: Cable, code: str) -> None:
    """Make the machine a gate at its own screen; a code that was misread is refused with what to do."""
    await steward.sees("This computer is not a gate yet")
    await steward.sees("Enter goes on, Tab changes the line")
    await steward.types(f"http://127.0.0.1:{cable.port}")
    await steward.types("TT1-NONSENSE")
    await steward.sees("Not enrolled: ")
    await steward.types_anew(code)
    await steward.sees("This computer is now the gate North 1 of ")
    await steward.does(("Enter", "Type code"))


async def scan_and_decide(steward: Steward, filmed: Phone, late: Phone, folder: Path) -> None:
    """Let one guest in by film; refuse an old picture, let its guest in all the same, and take that back."""
    await film(filmed, folder)
    await steward.sees("✓ GO: Welcome")
    await steward.sees("Next: Let the guest in.")
    await steward.type_code(late, minutes_old=5)
    await steward.sees("✗ STOP: This code is out of date")
    await steward.does(("s", "Who: Anna Lindqvist"))
    await steward.types(PIN)
    await steward.sees("1  Let in after a refusal")
    await steward.does(("1", "Let in after which refusal?"), ("1", "Why is this guest let in?"))
    await steward.does(("4", "decided by Anna Lindqvist"))
    await steward.does(("s", "2  Take an admission back"), ("2", "Take back which admission?"))
    await steward.does(("1", "Why is it taken back?"), ("2", "! BACK: The admission was taken back"))


async def look_and_lose_the_network(steward: Steward, third: Phone, cable: Cable) -> None:
    """Look at a ticket without using it, let its guest in with the cable pulled, and plug it in again."""
    await steward.does(("p", "LOOK ONLY"))
    await steward.types(write_wedge_token(unpack_token(read_text(third.show(datetime.now(UTC))))))
    # One after the other: a screen may be read while it is being drawn.
    await steward.sees("Would be let in")
    await steward.sees("Never scanned before")
    await steward.goes_back("LOOK ONLY")
    await cable.cut()
    await steward.sees("○ OFFLINE!")
    await steward.read_code(third)
    await steward.sees("✓ GO: Welcome")
    await steward.sees("1 to send")
    await steward.does(("n", "not connected, scanning goes on"))
    await steward.goes_back("Network and data")


async def turn_back_and_come_again(steward: Steward, third: Phone, line: Line) -> None:
    """Let a guest turn round before the turnstile, which the gate takes back by itself, and come again."""
    opened_for = [await line.read_line() for _ in range(3)]
    line.say(b"IDLE " + opened_for[-1].split()[1])
    await steward.sees("the admission is taken")
    await steward.sees("2 to send")
    await steward.read_code(third)
    await steward.sees("✓ GO: Welcome")
    line.say(b"TURNED " + (await line.read_line()).split()[1])
