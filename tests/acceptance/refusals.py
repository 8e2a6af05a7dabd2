"""How a command line is to refuse: one line that helps, the right exit status, and nobody's data touched."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from tests.acceptance.programs import Said

UNUSABLE, AWAY, UNTRUSTED = 2, 3, 4
"""Exit statuses as `--help` explains them; 1 is everything else that could not be done."""


class Wrong(Struct, frozen=True, kw_only=True):
    """A wrong command: its arguments, environment, exit status, and words its one line must have.

    ``{gate}`` and ``{place}`` in arguments stand for a ready gate's data directory and a directory for other things.
    """

    arguments: str
    status: int = UNUSABLE
    says: str
    environ: dict[str, str] = {}

    def command(self, **places: Path) -> list[str]:
        """Return the arguments with the directories filled in."""
        return [part.format(**places) for part in self.arguments.split()]


def check_refused(said: Said, status: int, words: str) -> None:
    """The command ended with this status and one last line on stderr that has these words; it printed nothing else."""
    assert not said.traceback, said.errors
    assert said.status == status, said
    assert words.lower() in said.error.lower(), said.errors
    assert said.errors.splitlines()[-1] == f"error: {said.error}"
    assert len(said.error) < 400


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file of a directory with its bytes, but the lock and what SQLite keeps beside a file in use."""
    passing = ("agent.lock", "-shm", "-wal")
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(passing)
    }
