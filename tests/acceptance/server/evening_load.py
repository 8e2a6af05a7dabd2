"""People who buy and a gate that lets them in, one after the other without a pause, while something is done to the servers."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import msgspec

from server.auth.user_token import UserTokens
from server.demo.box_office import BoxOffice, Buyer, Json
from server.demo.phones import Phone
from server.domain.access import Role, User
from server.seed import name_seeds
from shared.clock import SystemClock
from shared.ids import TenantId, UserId
from shared.settings import Secret
from tests.acceptance.filmed_gate import Line
from tests.acceptance.programs import bare_environment, call, gate_command

PATIENCE_S = 90.0
EVENT = name_seeds().main


class Crowd:
    """Buyers who come back as somebody else as soon as they have their ticket; a call that fails ends them all."""

    def __init__(self, base_url: str, jwt_secret: str, session: aiohttp.ClientSession) -> None:
        self.office = BoxOffice(base_url, session)
        self._tokens = UserTokens(Secret(jwt_secret), SystemClock())
        self.at_gate: asyncio.Queue[Phone] = asyncio.Queue()
        self.bought = 0
        self.moved = asyncio.Event()

    def token(self, user: UUID, role: Role = Role.CUSTOMER) -> str:
        """Return somebody's token."""
        return self._tokens.make(User(tenant=TenantId(EVENT.tenant), user=UserId(user), role=role, email=None))

    def organiser(self) -> str:
        """Return the organiser's token."""
        return self.token(EVENT.organiser, Role.VENUE_MANAGER)

    async def buy_for_ever(self) -> None:
        """Buy, open the ticket, send its phone to the gate, and again."""
        while True:
            user = uuid4()
            buyer = Buyer(user=user, email="", token=self.token(user))
            [ticket] = await self.office.buy(buyer, EVENT.event, EVENT.types[0].id, 1)
            self.at_gate.put_nowait(await self.office.fetch_wallet(buyer, ticket))
            self.bought += 1
            self.moved.set()

    async def read_scans(self) -> list[Json]:
        """Return every scan the server has."""
        items: list[Json] = []
        cursor = ""
        while True:
            path = f"/api/v1/events/{EVENT.event}/scans?limit=100{cursor}"
            page = await self.office.call("GET", path, self.organiser())
            items += msgspec.convert(page["items"], list[Json])
            paging = msgspec.convert(page["pagination"], Json)
            if not paging["hasMore"]:
                return items
            cursor = f"&cursor={paging['nextCursor']}"


class Gate:
    """The gate's program, shown codes as lines of text."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.scans: list[Line] = []
        self.last = Line(type="none")

    async def admit_for_ever(self, crowd: Crowd) -> None:
        """Show the next phone's code and wait for the answer, again and again."""
        while True:
            phone = await crowd.at_gate.get()
            await self.show(phone.show(datetime.now(UTC)))
            crowd.moved.set()

    async def show(self, code: str) -> Line:
        """Show a code and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(code.encode() + b"\n")
        known = len(self.scans)
        while len(self.scans) == known:
            await self.hear()
        return self.scans[-1]

    async def until_ready(self) -> None:
        """Wait until the gate is linked and can decide."""
        while not (self.last.linked and self.last.ready):
            await self.hear()

    async def hear(self) -> None:
        """Read one more line."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            raw = await self._process.stdout.readline()
        assert raw.endswith(b"\n"), "the gate ended"
        line = msgspec.json.decode(raw, type=Line)
        if line.type == "scan":
            self.scans.append(line)
        else:
            self.last = line

    async def stop(self) -> tuple[int, str]:
        """Let it hand over what it has, and end; return its status and what it said on stderr."""
        self._process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            rest, errors = await self._process.communicate()
        lines = [msgspec.json.decode(line, type=Line) for line in rest.splitlines()]
        self.scans += [line for line in lines if line.type == "scan"]
        return self._process.returncode or 0, errors.decode()


async def open_gate(crowd: Crowd, base_url: str, data: Path, *, code: str = "", **environ: str) -> Gate:
    """Enrol a gate, with a code of its own unless one is given, and start it."""
    code = code or await crowd.office.enrolment_code(crowd.organiser(), EVENT.event, "North")
    said = await asyncio.to_thread(call, gate_command("enrol", "--server", base_url, "--data", str(data), code))
    assert said.status == 0, said.errors
    process = await asyncio.create_subprocess_exec(
        *gate_command("run", "--headless", "--data", str(data), "--source", "stdin", "--drain-s", "60"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=bare_environment(**environ),
        cwd=os.fspath(data.parent),
    )
    gate = Gate(process)
    await gate.until_ready()
    return gate
