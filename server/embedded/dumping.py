"""PostgreSQL's own programs for backups, in a version that fits the server: pg_dump to write one, pg_restore to read it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import Struct

from server.embedded.binaries import find_places, read_version
from server.embedded.problems import DumpFailed, PostgresMissing
from shared.settings import Secret

_LIST_TIMEOUT_S = 600.0


class DumpTools(Struct, frozen=True, kw_only=True):
    """The two programs, of one installation."""

    pg_dump: Path
    pg_restore: Path
    version: str


def find_tools(server_major: int, given: Path | None = None) -> DumpTools:
    """Return programs that can read a server of this major version: pg_dump may be newer than the server, never older; blocks.

    ``given`` is the only directory to look into, if there is one.

    Raises:
        PostgresMissing: there are none.
    """
    found = [tools for place in ([given] if given else _places()) for tools in _describe(place)]
    fitting = [tools for tools in found if int(tools.version.split(".")[0]) >= server_major]
    if fitting:
        return min(fitting, key=lambda tools: int(tools.version.split(".")[0]))
    have = ", ".join(sorted({tools.version for tools in found})) or "none"
    raise PostgresMissing(
        f"pg_dump and pg_restore of PostgreSQL {server_major} or newer are needed, here is {have}: install PostgreSQL's client "
        "programs, or name their directory with --pg-bin"
    )


def dump(tools: DumpTools, dsn: Secret, file: Path) -> None:
    """Write a whole database into a new file, which only its owner can read and which has its name when it is whole; blocks.

    Raises:
        DumpFailed: it cannot be read or written; no file is left.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.touch(mode=0o600)
        _run([str(tools.pg_dump), "--format=custom", f"--file={partial}", *_target(dsn)], dsn, None)
        # A backup that cannot be listed cannot be restored: better to know today.
        _run([str(tools.pg_restore), "--list", str(partial)], None, _LIST_TIMEOUT_S)
        partial.rename(file)
    except OSError as exc:
        raise DumpFailed(f"{file} cannot be written ({exc.strerror}): choose another place") from exc
    finally:
        partial.unlink(missing_ok=True)


def load(tools: DumpTools, dsn: Secret, file: Path) -> None:
    """Put a dump into an empty database, all of it or nothing; blocks.

    Raises:
        DumpFailed: it cannot be read, or something in it cannot be made.
    """
    command = [str(tools.pg_restore), "--exit-on-error", "--single-transaction", *_target(dsn), str(file)]
    _run(command, dsn, None)


def _target(dsn: Secret) -> list[str]:
    """Return the options that name the database, without the password: other people of this machine see a command line."""
    parts = urlsplit(dsn.value)
    user, _, host = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=f"{user.partition(':')[0]}@{host}" if user else host)
    return ["--no-password", f"--dbname={urlunsplit(bare)}"]


def _run(command: list[str], dsn: Secret | None, timeout_s: float | None) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    password = urlsplit(dsn.value).password if dsn is not None else None
    if password is not None:
        environ["PGPASSWORD"] = unquote(password)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=timeout_s)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise DumpFailed(f"{command[0]} cannot be run ({type(exc).__name__}): reinstall PostgreSQL") from exc
    if done.returncode != 0:
        raise DumpFailed(f"{Path(command[0]).name} says: {_last_words(done.stderr)}")


def _last_words(errors: str) -> str:
    lines = [line for line in errors.splitlines() if "error" in line.lower()] or errors.splitlines()
    return lines[0][:300] if lines else "nothing"


def _places() -> Iterator[Path]:
    yield from find_places()
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield Path(on_path).parent


def _describe(place: Path) -> Iterator[DumpTools]:
    dump_program, restore_program = place / "pg_dump", place / "pg_restore"
    if dump_program.exists() and restore_program.exists():
        yield DumpTools(pg_dump=dump_program, pg_restore=restore_program, version=read_version(dump_program))
