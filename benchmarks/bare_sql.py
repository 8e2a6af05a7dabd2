"""What PostgreSQL does with statements alone: pgbench as the role that serves requests, for as many clients or at a steady rate."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from server.embedded.binaries import choose_binaries

_RATE = re.compile(rb"tps = ([0-9.]+)")


class Bare(Struct, frozen=True, kw_only=True):
    """How many scripts a second, and how long each took in milliseconds; at a steady rate from the moment it was due."""

    per_second: float
    took_ms: list[float]


class Work(Struct, frozen=True, kw_only=True):
    """Scripts to be run in turn, by how many clients, for how long, and how many a second (None: as many as can be)."""

    scripts: Sequence[str]
    clients: int
    seconds: int
    rate: float | None = None


async def pgbench(dsn: str, place: Path, work: Work) -> Bare:
    """Run scripts of statements; ``place`` is a directory of this call's own.

    Raises:
        SystemExit: a statement failed.
    """
    options = ["-n", "-M", "prepared", "-c", str(work.clients), "-T", str(work.seconds), "-l"]
    options += [] if work.rate is None else ["-R", f"{work.rate:g}"]
    for file in _write(place, work.scripts):
        options += ["-f", file]
    program = str(choose_binaries(None).bin_dir / "pgbench")
    process = await asyncio.create_subprocess_exec(
        program, *options, dsn, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await process.communicate()
    found = _RATE.search(output)
    if found is None or process.returncode:
        raise SystemExit(output.decode(errors="replace"))
    return Bare(per_second=float(found[1]), took_ms=_read_log(place))


def _write(place: Path, scripts: Sequence[str]) -> list[str]:
    place.mkdir(parents=True)
    for number, script in enumerate(scripts):
        (place / f"{number}.sql").write_text(script, encoding="utf-8")
    return [str(place / f"{number}.sql") for number in range(len(scripts))]


def _read_log(place: Path) -> list[float]:
    lines = [line for log in place.glob("pgbench_log.*") for line in log.read_text(encoding="utf-8").splitlines()]
    # client, number, microseconds, script, and when; what took too long to begin has a word instead of a number
    return [int(parts[2]) / 1000 for line in lines if (parts := line.split())[2].isdigit()]


def in_tenant(tenant: object, statements: Sequence[str]) -> str:
    """Return a script of one tenant's transaction, as the server opens it."""
    body = "\n".join(f"{statement.rstrip().rstrip(';')};" for statement in statements)
    return f"BEGIN;\nSELECT set_config('app.tenant', '{tenant}', true);\n{body}\nCOMMIT;\n"


def fill(statement: str, *values: object) -> str:
    """Return a statement with its numbered parameters written out, as texts; None is NULL."""
    plain = "\n".join(line for line in statement.splitlines() if not line.lstrip().startswith("--"))
    for number in range(len(values), 0, -1):
        value = values[number - 1]
        plain = plain.replace(f"${number}", "NULL" if value is None else f"'{value}'")
    return plain
