"""Erasing a gate's data directory: the keys first, the order to do so last, so that a power cut leaves nothing undone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gate.broker import BROKER_NAME
from gate.identity import IDENTITY_NAME
from gate.keystore import KEYS_NAME
from gate.listings import MARK_PATTERNS, UNFINISHED_PATTERNS
from gate.orders import ORDERS_NAME, load_orders
from gate.preferences import PREFERENCES_NAME
from gate.store.lock import LOCK_NAME
from gate.store.log import LOG_NAME
from gate.store.world import WORLD_NAME
from shared.problems import Unavailable

AGENT_LOG_NAME = "agent.log"
_IN_ORDER = (
    KEYS_NAME,
    BROKER_NAME,
    f".{KEYS_NAME}.unfinished",
    f".{BROKER_NAME}.unfinished",
    f"{WORLD_NAME}*",
    f"{LOG_NAME}*",
    AGENT_LOG_NAME,
    *MARK_PATTERNS,
    *UNFINISHED_PATTERNS,
    PREFERENCES_NAME,
    f".{PREFERENCES_NAME}.unfinished",
    IDENTITY_NAME,
    f".{IDENTITY_NAME}.unfinished",
    f".{ORDERS_NAME}.unfinished",
    ORDERS_NAME,
    LOCK_NAME,
)
"""What a gate keeps; nothing else in the directory is touched."""

_BLOCK = bytes(1024 * 1024)


def wipe_if_due(directory: Path) -> bool:
    """Erase a gate whose wipe waits for nothing any more; return whether that was so.

    Raises:
        DataDamaged, Unavailable: see ``load_orders`` and ``wipe_directory``.
    """
    due = load_orders(directory).wipe_due
    if due:
        wipe_directory(directory)
    return due


def wipe_directory(directory: Path) -> None:
    """Write zeros over every file of the gate and remove it; safe to repeat.

    On a disk that moves what it writes (flash, copy-on-write) the zeros may lie elsewhere: against somebody who takes chips
    out only a passphrase for the keys and an encrypted disk help.

    Raises:
        Unavailable: a file cannot be removed.
    """
    try:
        for path in _files(directory):
            _overwrite(path)
            path.unlink(missing_ok=True)
            _sync(directory)
    except OSError as exc:
        raise Unavailable(
            f"{directory} could not be wiped entirely ({exc.strerror}): remove it by hand, then destroy the disk."
        ) from exc


def _files(directory: Path) -> Iterator[Path]:
    for pattern in _IN_ORDER:
        yield from sorted(path for path in directory.glob(pattern) if path.is_file() and not path.is_symlink())


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        left = os.fstat(file.fileno()).st_size
        while left > 0:
            left -= file.write(_BLOCK[: min(left, len(_BLOCK))])
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
