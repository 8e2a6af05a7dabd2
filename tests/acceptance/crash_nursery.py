"""Servers that start in an instant: the program is imported once, and each server is a fork of it, a process of its own.

Run as a program it takes one environment a line, as JSON, and answers with the process of the server it started.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct

from server.cli import main as run_server_program

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


class Server(Struct, frozen=True, kw_only=True):
    """One running server: its process, and where it listens."""

    process: int
    base_url: str

    def kill(self) -> None:
        """End it as a power cut would; nothing happens if it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)


class Nursery:
    """The program that is forked."""

    def __init__(self, program: asyncio.subprocess.Process) -> None:
        self._program = program

    async def serve(self, environ: dict[str, str]) -> Server:
        """Start a server and return once it listens."""
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps(environ).encode() + b"\n")
        process = int(await self._line("process "))
        return Server(process=process, base_url=await self._line("listening on "))

    async def _line(self, beginning: str) -> str:
        assert self._program.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = (await self._program.stdout.readline()).decode().strip()
        assert line.startswith(beginning), f"the server said {line!r} instead of {beginning!r}"
        return line.removeprefix(beginning)


@asynccontextmanager
async def open_nursery() -> AsyncIterator[Nursery]:
    """Start the program that is forked, and end it with everything it started."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.acceptance.crash_nursery",
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield Nursery(program)
    finally:
        os.killpg(program.pid, signal.SIGKILL)
        await program.communicate()


def main() -> None:
    """Fork a server for every line."""
    # Nobody waits for the servers: they are killed.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    importlib.import_module("server.cli_serve")
    while line := sys.stdin.readline():
        fork_server(json.loads(line))


def fork_server(environ: dict[str, str]) -> None:
    """Start a server and say which process it is, before it says where it listens."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(writer)
        os.read(reader, 1)  # ends when the parent has spoken
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(environ)
        os._exit(run_server_program(["serve", "--port", "0"]))
    sys.stdout.write(f"process {process}\n")
    sys.stdout.flush()
    os.close(writer)
    os.close(reader)


if __name__ == "__main__":
    main()
