"""The server's command line as a process: started, listened to, talked to, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import aiohttp
from msgspec import Struct

ROOT = Path(__file__).parents[3]
LONG_S = 90


class Program(Struct, frozen=True, kw_only=True, eq=False):
    """A running server program; ``said`` is what it printed before it listened."""

    process: asyncio.subprocess.Process
    base_url: str
    errors: IO[bytes]
    said: str = ""

    async def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal and return exit status and what was said on stderr."""
        self.process.send_signal(number)
        async with asyncio.timeout(LONG_S):
            await self.process.communicate()
        return self.process.returncode or 0, read_from_start(self.errors)


def read_from_start(file: IO[bytes]) -> str:
    """Return what was written into a file so far."""
    return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()


async def start(*arguments: str, **environ: str) -> asyncio.subprocess.Process:
    """Start the command line in a bare environment."""
    return await start_of(ROOT, *arguments, errors=asyncio.subprocess.PIPE, **environ)


async def start_of(
    place: Path, *arguments: str, errors: IO[bytes] | int = asyncio.subprocess.PIPE, **environ: str
) -> asyncio.subprocess.Process:
    """Start the command line of the program in a directory, in a bare environment."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        *arguments,
        cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )


async def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run a command to its end; return exit status, stdout and stderr."""
    process = await start(*arguments, **environ)
    async with asyncio.timeout(LONG_S):
        output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


@asynccontextmanager
async def served(*arguments: str, **environ: str) -> AsyncIterator[Program]:
    """Run a server on a free port until the context ends; it is up when it says where it listens."""
    async with listening("serve", *arguments, **environ) as program:
        yield program


@asynccontextmanager
async def listening(command: str, *arguments: str, **environ: str) -> AsyncIterator[Program]:
    """Run a command that listens on a free port until the context ends."""
    async with listening_of(ROOT, command, *arguments, **environ) as program:
        yield program


@asynccontextmanager
async def listening_of(place: Path, command: str, *arguments: str, **environ: str) -> AsyncIterator[Program]:
    """Do the same with the program in a directory."""
    # A file takes what a pipe that nobody reads would not: a server that cannot write its log stands still.
    with tempfile.TemporaryFile() as errors:
        process = await start_of(place, command, "--port", "0", *arguments, errors=errors, **environ)
        assert process.stdout is not None
        line = said = ""
        try:
            async with asyncio.timeout(LONG_S):
                while not line.startswith("listening on "):
                    said += line
                    line = (await process.stdout.readline()).decode()
                    if not line:
                        await process.wait()
                        raise AssertionError(f"the program ended before it listened: {read_from_start(errors)}")
            url = line.strip().removeprefix("listening on ")
            yield Program(process=process, base_url=url, errors=errors, said=said)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.communicate()


async def ready(base_url: str) -> dict[str, object]:
    """Return what the server says of its health once it is ready."""
    async with asyncio.timeout(LONG_S), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{base_url}/health/ready") as response:
                if response.status == 200:
                    health: dict[str, object] = await response.json()
                    return health


async def customer_token(data: Path) -> str:
    """Return a token for the seeded attendee, made by the command line."""
    status, output, errors = await run("token", "--embedded", "--data", str(data), "--role", "customer")
    assert status == 0, errors
    return output.strip()


async def buy_and_show(base_url: str, token: str) -> str:
    """Walk from the list of events to a code; return the ticket's id."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(base_url, headers=headers) as session:
        async with session.get("/api/v1/events") as response:
            event = (await response.json())["items"][0]["id"]
        async with session.get(f"/api/v1/events/{event}/ticket-types") as response:
            kind = (await response.json())["items"][0]
        order = {"eventId": event, "tickets": [{"ticketTypeId": kind["id"], "quantity": 1}]}
        once = {"Idempotency-Key": os.urandom(16).hex()}
        async with session.post("/api/v1/tickets/reserve", json=order, headers=once) as response:
            assert response.status == 201, await response.text()
            held = await response.json()
        paid = {
            "reservationId": held["reservationId"],
            "paymentId": f"demo_{held['totalCents']}_{held['currency']}_{os.urandom(8).hex()}",
        }
        async with session.post("/api/v1/tickets/purchase", json=paid, headers=once) as response:
            assert response.status == 200, await response.text()
            ticket = str((await response.json())["tickets"][0]["ticketId"])
        async with session.get(f"/api/v1/tickets/{ticket}/qr", headers={"Accept": "image/png"}) as response:
            assert (await response.read()).startswith(b"\x89PNG")
    return ticket
