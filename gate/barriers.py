"""What opens the way: a program of the house's own, or a device that understands lines of text."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import termios
import tty
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import structlog

from gate.turnstile import Happened, TurnstileStuck
from shared.problems import InputUnusable

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
OPEN_WITHIN_S = 3.0
_SEQ_NAME = "TICKETTOKEN_GATE_SEQ"
_SECRET = "PASSPHRASE"  # noqa: S105 - part of a variable's name
_LONGEST_LINE = 200
_SAID = re.compile(rb"(TURNED|IDLE)(?: (\d{1,18}))?")
_MEANING = {b"TURNED": Happened.TURNED, b"IDLE": Happened.UNUSED}

Heard = Callable[[Happened, int | None], None]


class CommandBarrier:
    """Runs a program for each opening; it succeeded when it ended with 0 in time."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], within_s: float = OPEN_WITHIN_S) -> None:
        self._command = tuple(command)
        # The program is not the gate's: it has no need of what opens the gate's keys.
        self._environ = {name: value for name, value in environ.items() if _SECRET not in name}
        self._within_s = within_s

    async def open(self, gate_seq: int) -> None:
        """Run the program; the record's number is in ``TICKETTOKEN_GATE_SEQ``.

        Raises:
            TurnstileStuck: it is missing, failed or took too long.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env={**self._environ, _SEQ_NAME: str(gate_seq)},
                start_new_session=True,
            )
        except OSError as exc:
            raise TurnstileStuck(f"{self._command[0]} cannot be run ({exc.strerror}): check --open-command.") from exc
        try:
            async with asyncio.timeout(self._within_s):
                status = await process.wait()
        except TimeoutError as exc:
            raise TurnstileStuck(
                f"{self._command[0]} took longer than {self._within_s:g} s and was ended: open by hand, and look at it."
            ) from exc
        finally:
            if process.returncode is None:
                # With what it started: a shell's children would hold the line otherwise.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        if status != 0:
            raise TurnstileStuck(f"{self._command[0]} ended with {status}: open by hand, and look at it.")

    async def close(self) -> None:
        """Nothing is held between openings."""


class LineBarrier:
    """A device on a serial line or a pseudo terminal, 9600 8N1: the gate writes ``OPEN n``, the device may say what followed.

    It may write ``TURNED n`` when somebody went through and ``IDLE n`` when nobody did; n, the record's number, may be left
    out. Other lines are noted in the log and mean nothing. A device that was unplugged is opened anew for the next admission.
    """

    def __init__(self, path: Path, heard: Heard, within_s: float = OPEN_WITHIN_S) -> None:
        self._path = path
        self._heard = heard
        self._within_s = within_s
        self._descriptor: int | None = None
        self._rest = b""

    async def open(self, gate_seq: int) -> None:
        """Write the line.

        Raises:
            TurnstileStuck: the device is away or takes nothing.
        """
        try:
            async with asyncio.timeout(self._within_s):
                await self._write(b"OPEN %d\n" % gate_seq)
        except TimeoutError as exc:
            self._let_go()
            raise TurnstileStuck(f"{self._path} takes no line: open by hand, and check its cable.") from exc
        except (OSError, termios.error) as exc:
            self._let_go()
            raise TurnstileStuck(f"{self._path} cannot be written ({exc}): open by hand, and check its cable.") from exc

    async def close(self) -> None:
        """Let go of the device."""
        self._let_go()

    def attach(self) -> None:
        """Open the device before the first admission, to hear what it says; one that is away is tried again then."""
        try:
            self._take_hold()
        except (OSError, termios.error) as exc:
            self._let_go()
            _log.warning("turnstile.away", path=str(self._path), why=str(exc))

    async def _write(self, data: bytes) -> None:
        descriptor, loop = self._take_hold(), asyncio.get_running_loop()
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                writable = asyncio.Event()
                loop.add_writer(descriptor, writable.set)
                try:
                    await writable.wait()
                finally:
                    loop.remove_writer(descriptor)

    def _take_hold(self) -> int:
        if self._descriptor is None:
            self._descriptor = _open_line(self._path)
            asyncio.get_running_loop().add_reader(self._descriptor, self._read)
        return self._descriptor

    def _let_go(self) -> None:
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor, self._rest = None, b""

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 4096) if self._descriptor is not None else b""
        except BlockingIOError:
            return
        except OSError as exc:
            _log.warning("turnstile.line_lost", path=str(self._path), why=exc.strerror)
            data = b""
        if not data:
            self._let_go()
            return
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:_LONGEST_LINE]
        for line in lines:
            self._take_line(line.strip())

    def _take_line(self, line: bytes) -> None:
        said = _SAID.fullmatch(line)
        if said is None:
            if line:
                _log.info("turnstile.said", line=line[:_LONGEST_LINE].decode("ascii", "replace"))
            return
        self._heard(_MEANING[said[1]], int(said[2]) if said[2] else None)


def try_line(path: Path) -> None:
    """Return if a device can be opened and set.

    Raises:
        InputUnusable: it is not there, not ours to use, or no line.
    """
    try:
        os.close(_open_line(path))
    except (OSError, termios.error) as exc:
        raise InputUnusable(f"The turnstile {path} cannot be opened ({exc.args[-1]}): check --turnstile.") from exc


def _open_line(path: Path) -> int:
    # Without waiting for a carrier: relay boards have none.
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _set_line(descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _set_line(descriptor: int) -> None:
    # Raw bytes at 9600 baud, 8 data bits, no parity, no modem lines.
    tty.setraw(descriptor, termios.TCSANOW)
    settings = termios.tcgetattr(descriptor)
    settings[2] |= termios.CLOCAL | termios.CREAD
    settings[4] = settings[5] = termios.B9600
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)


def parse_command(text: str) -> tuple[str, ...]:
    """Return a command's words as a shell would cut them; nothing else of a shell is understood.

    Raises:
        InputUnusable: there are none, or a quotation mark is missing.
    """
    try:
        words = tuple(shlex.split(text))
    except ValueError as exc:
        raise InputUnusable(f"--open-command cannot be read ({exc}): check its quotation marks.") from exc
    if not words:
        raise InputUnusable("--open-command is empty: give a program and its arguments in one word.")
    return words
