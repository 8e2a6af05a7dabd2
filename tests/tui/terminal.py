"""A real terminal of a given size: tmux without a window, whose screen can be read and whose every byte is seen."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

_PATIENCE_S = 30
_SESSION = "lane"


class Tap(asyncio.Protocol):
    """Keeps what the program wrote and tells when there is more."""

    def __init__(self) -> None:
        self.seen = b""
        self.more = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.seen += data
        self.more.set()


class Terminal:
    """Types keys and reads the screen."""

    def __init__(self, directory: Path, tap: Tap) -> None:
        self._directory = directory
        self.tap = tap

    async def tmux(self, *arguments: str) -> str:
        """Run one tmux command on this terminal's own server and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            *("tmux", "-u", "-f", os.devnull, "-S", str(self._directory / "tmux")),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(_PATIENCE_S):
            out, err = await process.communicate()
        assert process.returncode == 0, f"tmux {arguments[0]}: {err.decode()}"
        return out.decode()

    async def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them."""
        await self.tmux("send-keys", "-t", _SESSION, *keys)

    async def type(self, text: str) -> None:
        """Type a text and Enter."""
        await self.tmux("send-keys", "-t", _SESSION, "-l", text)
        await self.press("Enter")

    async def read(self, text: str) -> None:
        """Type a text and Enter in one go, as a reader does that types what it reads."""
        await self.tmux("send-keys", "-t", _SESSION, "-l", text, ";", "send-keys", "-t", _SESSION, "Enter")

    async def screen(self) -> str:
        """Return what is on the screen now."""
        return await self.tmux("capture-pane", "-p", "-t", _SESSION)

    async def wait_until(self, holds: Callable[[str], bool], what: str) -> str:
        """Read the screen after everything the program writes, until something holds of it; return that screen."""
        screen = ""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while True:
                    self.tap.more.clear()
                    screen = await self.screen()
                    if holds(screen):
                        return screen
                    await self.tap.more.wait()
        except TimeoutError:
            pytest.fail(f"{what} did not come; the screen at the end:\n{screen}")

    async def wait_for(self, text: str) -> str:
        """Wait until a text is on the screen."""
        return await self.wait_until(lambda screen: text in screen, repr(text))

    async def exit_code(self) -> int:
        """Wait until the program has ended and return its exit code."""
        await self.tmux("wait-for", "ended")
        return int((self._directory / "code").read_text())


@asynccontextmanager
async def opened(command: list[str], directory: Path, environ: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run a command on a terminal of 80 columns and 24 rows until the block ends."""
    if shutil.which("tmux") is None:
        pytest.fail("these tests need a real terminal: install tmux (apt-get install tmux)")
    pipe = directory / "output"
    os.mkfifo(pipe)
    # Opened for writing, too, so that it neither waits for tmux nor ends with it.
    reading = os.fdopen(os.open(pipe, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    transport, tap = await asyncio.get_running_loop().connect_read_pipe(Tap, reading)
    terminal = Terminal(directory, tap)
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in environ.items())
    # The program waits for a line, so that not a byte of it is missed.
    script = f"read go; env {settings} {shlex.join(command)}; echo $? >{directory / 'code'}; tmux wait-for -S ended; read end"
    try:
        await terminal.tmux("new-session", "-d", "-s", _SESSION, "-x", "80", "-y", "24", "sh", "-c", script)
        await terminal.tmux("pipe-pane", "-t", _SESSION, "-O", f"cat >{shlex.quote(str(pipe))}")
        await terminal.press("Enter")
        yield terminal
    finally:
        await terminal.tmux("kill-server")
        transport.close()
