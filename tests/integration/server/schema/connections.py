"""Plain connections for looking at a database from outside the program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.conftest import ROLE_PASSWORDS

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def dsn_of(admin_dsn: str, role: str, database: str) -> str:
    """Return a role's URL of a database of the same server."""
    parts = urlsplit(admin_dsn)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{ROLE_PASSWORDS[role]}@{address}", path=f"/{database}"))


def in_database(admin_dsn: str, dsn: str) -> str:
    """Return the superuser's URL of the database another URL names."""
    return urlunsplit(urlsplit(admin_dsn)._replace(path=urlsplit(dsn).path))


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Connection]:
    """Open a connection for the length of the context."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
