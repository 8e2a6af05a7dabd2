"""The command line in a process of its own, on a test's database."""

from __future__ import annotations

import asyncio
import os
import sys

from msgspec import Struct

from tests.conftest import Databases
from tests.integration.keys.stage import NEW_KEK, OLD_KEK

ENDS_WITHIN_S = 60.0
OLD = f"k1={OLD_KEK.hex()}"
NEW = f"k2={NEW_KEK.hex()}"
BOTH = f"{NEW},{OLD}"


class Ended(Struct, frozen=True, kw_only=True):
    """What a command said and how it ended."""

    status: int
    out: str
    err: str


def environment(database: Databases, keys: str) -> dict[str, str]:
    """Return the environment of a server with these key-encryption keys."""
    own = {
        "DATABASE_URL": database.app_dsn,
        "WORKER_DATABASE_URL": database.worker_dsn,
        "JWT_SECRET": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
        "QR_ENCRYPTION_KEY": keys,
    }
    return {**os.environ, **own}


async def begin(database: Databases, keys: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start a command."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", *arguments, env=environment(database, keys), stdout=pipe, stderr=pipe
    )


async def run(database: Databases, keys: str, *arguments: str) -> Ended:
    """Run a command to its end."""
    process = await begin(database, keys, *arguments)
    async with asyncio.timeout(ENDS_WITHIN_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(status=process.returncode, out=out.decode(), err=err.decode())
