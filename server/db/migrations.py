"""The migration files: where they are, what they are called, and what they must look like together."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from shared.problems import Internal

_FILE = re.compile(r"^(\d{4})_(pre|post)_([a-z0-9_]+)\.sql$")


class Phase(StrEnum):
    """When a migration runs: before the new program is started, or after the last old one has ended."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


class Migration(Struct, frozen=True, kw_only=True):
    """One file."""

    version: int
    phase: Phase
    name: str
    sql: str

    @property
    def checksum(self) -> bytes:
        """Return the SHA-256 of the file's text."""
        return hashlib.sha256(self.sql.encode()).digest()


def phase_of(name: str) -> Phase | None:
    """Return the phase in a migration's name, such as `0007_pre_gates_and_scans`; None if it names none."""
    parts = _FILE.match(f"{name}.sql")
    return None if parts is None else Phase(parts[2])


def find_migrations_dir() -> Path:
    """Return the directory of the migrations: packaged beside this module, or the checkout's.

    Raises:
        Internal: there is neither.
    """
    here = Path(__file__).resolve()
    for place in (here.parent / "migrations", here.parents[2] / "migrations"):
        if place.is_dir():
            return place
    raise Internal("This installation lacks its migrations: install the program again.")


def read_migrations(directory: Path | None = None) -> list[Migration]:
    """Return the migrations in order; blocks on a few small files.

    Raises:
        Internal: a file name of another form, a number twice, or a number missing.
    """
    found = []
    for path in sorted((directory or find_migrations_dir()).glob("*.sql")):
        parts = _FILE.match(path.name)
        if parts is None:
            raise Internal(f"{path.name} is not named NNNN_pre_what.sql or NNNN_post_what.sql")
        sql = path.read_text(encoding="utf-8")
        found.append(Migration(version=int(parts[1]), phase=Phase(parts[2]), name=path.stem, sql=sql))
    numbers = [migration.version for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise Internal(f"migrations must be numbered from 0001 without a gap, here: {numbers}")
    return found
