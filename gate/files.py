"""Small files that are there whole or not at all, readable by their owner only."""

from __future__ import annotations

import os
from pathlib import Path

from shared.problems import Unavailable


def make_directory(directory: Path) -> None:
    """Make a data directory that only its owner may enter.

    Raises:
        Unavailable: it cannot be made.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise Unavailable(f"{directory} cannot be made ({exc.strerror}): give another --data.") from exc


def write_private(path: Path, data: bytes) -> None:
    """Write a file with mode 0600 so that a power cut leaves the old one or the new one.

    Raises:
        Unavailable: the directory cannot be written or the disk is full.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync_directory(path.parent)
    except OSError as exc:
        raise Unavailable(f"{path} cannot be written ({exc.strerror}): check its owner and the disk's space.") from exc


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
