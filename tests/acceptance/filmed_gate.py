"""A gate in front of a film, run as the program it is: started, listened to, and killed without warning."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Struct

from gate.film.script import Film, Person
from gate.film.writer import render_film
from server.demo.phones import Phone
from shared.sync.scan import hash_code
from tests.acceptance.programs import bare_environment, gate_command

_FRAMES = 9
_PAUSE_FRAMES = 1
_PATIENCE_S = 60.0


class Line(Struct, frozen=True, kw_only=True):
    """The part of an output line that counts here."""

    type: str
    what: str = ""
    code: str = ""
    admitted: bool = False
    reason: str = ""
    scan: UUID | None = None
    gate_seq: int | None = None
    mode: str = ""
    linked: bool = False
    ready: bool = False
    backlog: int = 0


class Scene(Struct, frozen=True, kw_only=True, eq=False):
    """A film, and who is in it with which code."""

    film: Path
    people: dict[str, Phone]


def shoot(phones: Sequence[Phone], film: Path, seed: int) -> Scene:
    """Film people holding up the codes their phones show now; blocks for as long as that takes to draw."""
    now = datetime.now(UTC)
    texts = [phone.show(now) for phone in phones]
    people = tuple(Person(text=text, frames=_FRAMES, pause_frames=_PAUSE_FRAMES) for text in texts)
    render_film(Film(people=people, seed=seed), film)
    return Scene(film=film, people={hash_code(text).hex(): phone for text, phone in zip(texts, phones, strict=True)})


class Agent:
    """One run of the gate's program; every whole line it wrote is kept, whenever it dies."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[Line] = []
        self._process = process
        self._torn = b""

    @property
    def scans(self) -> list[Line]:
        """The scan lines so far."""
        return [line for line in self.lines if line.type == "scan"]

    @property
    def newest(self) -> Line:
        """The last line."""
        return self.lines[-1]

    async def next_line(self) -> Line:
        """Wait for one more line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            raw = await self._process.stdout.readline()
        assert raw.endswith(b"\n"), f"the gate ended: {await self._errors()}"
        self.lines.append(msgspec.json.decode(raw, type=Line))
        return self.newest

    async def until_scans(self, count: int) -> None:
        """Wait until so many people had their answer, or the film is over."""
        while len(self.scans) < count and not (self.lines and self.newest.what == "source_ended"):
            await self.next_line()

    async def until_online(self) -> None:
        """Wait until it is in touch with the server, over a line that answers quickly."""
        while not (self.lines and self.newest.mode == "online"):
            await self.next_line()

    async def until_synced(self) -> None:
        """Wait until the gate is linked, can decide, and has nothing to hand over."""
        while not (self.lines and self.newest.linked and self.newest.ready and self.newest.backlog == 0):
            await self.next_line()

    async def kill_after(self, seconds: float) -> None:
        """Kill it so many seconds from now without giving it a chance to notice, and read what it still had written."""
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
        assert self._process.stdout is not None
        async with asyncio.timeout(_PATIENCE_S):
            rest = await self._process.stdout.read()
            errors = await self._errors()
            status = await self._process.wait()
        *whole, self._torn = rest.split(b"\n")
        self.lines += [msgspec.json.decode(line, type=Line) for line in whole]
        assert (status, errors) == (-9, "")

    async def _errors(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()


async def start_gate(data: Path, source: str, *options: str) -> Agent:
    """Start the gate of a data directory on a film, a folder, or on no source at all."""
    command = gate_command("run", "--headless", "--data", str(data), "--source", source, *options)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=bare_environment(),
        cwd=os.fspath(data.parent),
    )
    return Agent(process)


class Queue:
    """The people in front of the gate: those whose answer was lost come again, behind the others."""

    def __init__(self, phones: Sequence[Phone]) -> None:
        self._waiting = deque(phones)

    @property
    def length(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def call(self, count: int) -> list[Phone]:
        """Let the next ones step in front of the camera."""
        return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def send_back(self, scene: Scene, answered: Sequence[Line]) -> None:
        """Have everybody in a film who got no answer queue up again."""
        done = {line.code for line in answered}
        self._waiting += [phone for code, phone in scene.people.items() if code not in done]
