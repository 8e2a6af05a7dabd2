"""One gate of the tour: the real agent as a process of its own, filmed people in, its verdicts out."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.problems import Unavailable
from shared.sync.scan import hash_code

_POLL_S = 0.05
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 20.0


class Seen(Struct, frozen=True, kw_only=True):
    """One line of a gate's scan log, as far as the tour needs it."""

    code: str
    admitted: bool
    reason: str
    mode: str
    gate_seq: int | None
    total_ms: float

    @property
    def recorded(self) -> bool:
        """Say whether the gate wrote this scan into its log; a double read is not written again."""
        return self.gate_seq is not None


class Guest(Struct, frozen=True, kw_only=True):
    """A person in a film: the code they show and what must happen; ``who`` describes them in a few words."""

    who: str
    text: str
    admitted: bool
    reason: str
    kind: str = "phone"

    @property
    def code(self) -> str:
        """Return the short hash by which the gate's log names this code."""
        return hash_code(self.text).hex()


class Lane:
    """A gate agent with a folder of films for a camera."""

    def __init__(self, name: str, home: Path, server_url: str) -> None:
        self.name = name
        self.seen: list[Seen] = []
        self.status: dict[str, object] = {}
        self._home = home
        self._server_url = server_url
        self._films = home / "films"
        self._log = home / "lane.jsonl"
        self._read_to = 0
        self._process: asyncio.subprocess.Process | None = None
        self._filmed = 0

    async def enrol(self, code: str) -> None:
        """Make the agent's keys and trade the one-time code for an identity.

        Raises:
            Unavailable: the agent refused, with its own words.
        """
        self._films.mkdir(parents=True)
        await run_gate_command("enrol", "--server", self._server_url, "--data", str(self._home / "data"), code)

    async def start(self, *, screen: bool = False) -> None:
        """Start the agent on its folder of films, headless or with its screen on this terminal."""
        data, films, log = str(self._home / "data"), str(self._films), str(self._log)
        arguments = ["run", "--data", data, "--source", films, "--follow", "--json-log", log]
        if not screen:
            arguments.append("--headless")
        devnull = asyncio.subprocess.DEVNULL
        with (self._home / "agent.log").open("wb") as errors:
            # A screen draws on standard error and keeps its log in its own directory.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "gate",
                *arguments,
                stdin=None if screen else devnull,
                stdout=None if screen else devnull,
                stderr=None if screen else errors,
                env=_environment(),
            )

    async def film(self, guests: Sequence[Guest], seed: int) -> None:
        """Render the guests in front of the camera and hand the film over; it starts at once."""
        self._filmed += 1
        script = self._home / f"film-{self._filmed}.json"
        script.write_bytes(_write_script(guests, seed))
        made = self._home / f"film-{self._filmed}.avi"
        await run_gate_command("film", str(script), str(made))
        made.rename(self._films / f"{self._filmed:03}.avi")

    async def wait_for_scans(self, guests: Sequence[Guest], timeout_s: float) -> list[Seen | None]:
        """Return what the gate decided on each guest, None for one it never read."""
        before = len(self.seen)
        try:
            async with asyncio.timeout(timeout_s):
                while any(match is None for match in self._match(guests, before)):
                    await self._read_more()
        except TimeoutError:
            pass  # the missing ones are reported by name
        return self._match(guests, before)

    async def wait_for_status(self, what: str, timeout_s: float, **wanted: object) -> None:
        """Wait until the agent reports these values.

        Raises:
            Unavailable: it ended, or did not get there in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while any(self.status.get(key) != value for key, value in wanted.items()):
                    await self._read_more()
        except TimeoutError as exc:
            raise Unavailable(
                f"Gate {self.name} did not get to “{what}” in {timeout_s:.0f} s; see {self._home}/agent.log"
            ) from exc

    async def stop(self) -> None:
        """End the agent as an operator would and read the last of its log."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        self._take_lines()
        self._process = None

    async def wait_until_closed(self) -> None:
        """Wait until somebody ends the agent at its own screen."""
        if self._process is not None:
            await self._process.wait()

    def _match(self, guests: Sequence[Guest], start: int) -> list[Seen | None]:
        """Pair guests with lines: each guest takes the first unused line that names their code."""
        free = [item for item in self.seen[start:] if item.reason != "double_read"]
        matched: list[Seen | None] = []
        for guest in guests:
            found = next((item for item in free if item.code == guest.code), None)
            if found is not None:
                free.remove(found)
            matched.append(found)
        return matched

    async def _read_more(self) -> None:
        if not self._take_lines():
            if self._process is not None and self._process.returncode is not None:
                raise Unavailable(f"Gate {self.name} ended by itself; see {self._home}/agent.log")
            await asyncio.sleep(_POLL_S)

    def _take_lines(self) -> bool:
        if not self._log.exists():
            return False
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            data = log.read()
        complete = data[: data.rfind(b"\n") + 1]
        self._read_to += len(complete)
        for line in complete.splitlines():
            self._take(msgspec.json.decode(line))
        return bool(complete)

    def _take(self, line: dict[str, object]) -> None:
        if line.get("type") == "status":
            self.status.update(line)
        elif line.get("type") == "scan":
            took = msgspec.convert(line["took_ms"], dict[str, float])
            self.seen.append(msgspec.convert({**line, "total_ms": took["total"]}, Seen))


async def run_gate_command(*arguments: str) -> None:
    """Run one ``tickettoken-gate`` command to its end.

    Raises:
        Unavailable: it failed, with the last line it said.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gate",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            _, errors = await process.communicate()
    except TimeoutError as exc:
        raise Unavailable(f"`tickettoken-gate {arguments[0]}` did not end in {_START_TIMEOUT_S:.0f} s.") from exc
    finally:
        # Also when the tour is called off: nothing may go on writing into a directory that is about to be removed.
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise Unavailable(f"`tickettoken-gate {arguments[0]}` failed: {last}")


def _environment() -> dict[str, str]:
    """Return the environment without settings that belong to the operator's own gate."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TICKETTOKEN_GATE_")}


def _write_script(guests: Sequence[Guest], seed: int) -> bytes:
    people = [{"text": guest.text, "kind": guest.kind, "frames": 26, "pause_frames": 5} for guest in guests]
    return msgspec.json.encode({"seed": seed, "people": people})
