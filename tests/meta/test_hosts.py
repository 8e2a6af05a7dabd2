"""No file names a package index, and the locks pin every package by hash and nothing by address."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.meta.sources import ROOT

EXCEPTIONS: frozenset[str] = frozenset()

NOT_OURS = {".git", ".venv", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".tickettoken"}
NOT_OURS |= {"__pycache__", ".import_linter_cache", "htmlcov", "dist", "node_modules"}
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-server.lock", "requirements-gate.lock")

# Written so that this file does not match itself.
INDEX_ADDRESS = re.compile(
    r"py[p]i\.(?:org|io|python\.org)|pythonhoste[d]\.org|registry\.(?:npmj[s]|yarnpk[g])|/simpl[e]/|/packages/[0-9a-f]{2}/[0-9a-f]{2}/"
    r"|extra-inde[x]|index-ur[l]|proxy\.golan[g]|crates\.i[o]"
)
PINNED = re.compile(r"^[A-Za-z0-9._-]+(?:\[[\w,-]+\])?==[^ \\]+(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def own_files() -> list[Path]:
    """Return every file of the project that is not made by a tool."""
    files: list[Path] = []
    for directory, folders, names in os.walk(ROOT):
        folders[:] = [folder for folder in folders if folder not in NOT_OURS]
        files += [Path(directory, name) for name in names]
    return files


def test_no_file_names_a_package_index() -> None:
    files = own_files()
    assert ROOT / "pyproject.toml" in files
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in files
        if path.relative_to(ROOT).as_posix() not in EXCEPTIONS
        if (match := INDEX_ADDRESS.search(path.read_bytes().decode(errors="replace")))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_every_package_by_hash_and_names_no_address(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    odd = [line for line in lines if not PINNED.match(line) and not HASH.match(line)]
    assert not odd
    starts = [number for number, line in enumerate(lines) if PINNED.match(line)]
    assert len(starts) > 20
    assert all(HASH.match(lines[number + 1]) for number in starts)


@pytest.mark.parametrize("name", [name for name in LOCKS if name != "requirements-dev.lock"])
def test_locks_agree_with_the_developers_lock(name: str) -> None:
    part, everything = [
        {line.split()[0] for line in (ROOT / lock).read_text().splitlines() if PINNED.match(line)}
        for lock in (name, "requirements-dev.lock")
    ]
    assert part < everything


def test_neither_programs_lock_holds_what_only_the_other_needs() -> None:
    names = {lock: (ROOT / lock).read_text() for lock in ("requirements-server.lock", "requirements-gate.lock")}
    assert not re.search(r"^(opencv|textual|zxing|aiosqlite)", names["requirements-server.lock"], re.MULTILINE)
    assert not re.search(r"^(asyncpg|redis|reportlab|pyjwt)", names["requirements-gate.lock"], re.MULTILINE)
