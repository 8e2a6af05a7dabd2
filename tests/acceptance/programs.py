"""The two command lines as their users start them, and everything one can look at from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).parents[2]
LONG_S = 60.0

_OURS = ("TICKETTOKEN_", "JWT_", "QR_", "DATABASE_", "PAYMENTS", "PORT", "HOST")


class Said(Struct, frozen=True, kw_only=True):
    """What a command left behind: its exit status and both outputs."""

    status: int
    output: str
    errors: str

    @property
    def error(self) -> str:
        """Return the one line that says what is wrong, without its mark; empty if there is not exactly one."""
        lines = [line for line in self.errors.splitlines() if line.startswith("error: ")]
        return lines[0].removeprefix("error: ") if len(lines) == 1 else ""

    @property
    def traceback(self) -> bool:
        """Tell whether a person was shown the program's insides."""
        return "Traceback" in self.errors + self.output


def bare_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without the programs' own settings, and with some more."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, "TICKETTOKEN_GATE_LOG_LEVEL": "error", **more}


def server_command(*arguments: str) -> list[str]:
    """Return how `tickettoken` is started."""
    return [sys.executable, "-P", "-m", "server", *arguments]


def gate_command(*arguments: str) -> list[str]:
    """Return how `tickettoken-gate` is started."""
    return [sys.executable, "-P", "-m", "gate", *arguments]


def call(
    command: list[str], environ: Mapping[str, str] | None = None, *, given: bytes = b"", timeout_s: float = LONG_S
) -> Said:
    """Run a command to its end, with some environment variables of its own."""
    environment = bare_environment(**(environ or {}))
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=timeout_s, env=environment)
    return Said(status=done.returncode, output=done.stdout.decode(), errors=done.stderr.decode())


def processes_of(place: Path) -> set[str]:
    """Return the running processes that have to do with a directory: by their arguments, environment or working directory."""
    return {found for entry in Path("/proc").iterdir() if entry.name.isdigit() and (found := _describe(entry, place))}


def _describe(entry: Path, place: Path) -> str:
    name = str(place).encode()
    try:
        command = (entry / "cmdline").read_bytes()
        facts = (command, (entry / "environ").read_bytes(), os.fsencode((entry / "cwd").readlink()))
    except OSError:
        return ""  # ended meanwhile
    if int(entry.name) == os.getpid() or not any(name in fact for fact in facts):
        return ""
    return f"{entry.name} {command.replace(bytes(1), b' ').decode(errors='replace')}"
