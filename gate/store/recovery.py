"""What happens when the copy of the event cannot be opened: it is set aside, never lost, and fetched again."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import structlog

from gate.store.problems import StoreDamaged, StoreNotWritable
from gate.store.world import WORLD_NAME, World, open_world

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_PARTS = ("", "-wal", "-shm")


async def open_world_or_anew(directory: Path, now: datetime) -> World:
    """Open the copy; a damaged one is moved aside as ``world.db.damaged-<time>`` and an empty one made in its place.

    Raises:
        TooNew, StoreNotWritable: as ``open_world`` does; nothing is moved then.
    """
    try:
        return await open_world(directory)
    except StoreDamaged as problem:
        aside = await asyncio.to_thread(_move_aside, directory, now)
        _log.error("world.moved_aside", reason=str(problem), kept_as=str(aside))
    return await open_world(directory)


def _move_aside(directory: Path, now: datetime) -> Path:
    mark = f".damaged-{now:%Y%m%dT%H%M%S%fZ}"
    try:
        for part in _PARTS:
            source = directory / (WORLD_NAME + part)
            if source.exists():
                source.rename(directory / (WORLD_NAME + mark + part))
    except OSError as exc:
        raise StoreNotWritable(
            f"{directory / WORLD_NAME} is damaged and cannot be moved aside ({exc.strerror})."
        ) from exc
    return directory / (WORLD_NAME + mark)
