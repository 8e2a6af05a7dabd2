"""The driver's types under names of our own: asyncpg's stubs are generic, its classes are not."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

RowT = TypeVar("RowT", bound=msgspec.Struct)


def read_row(record: asyncpg.Record, kind: type[RowT]) -> RowT:
    """Return a record as a struct whose fields bear the columns' names.

    Raises:
        msgspec.ValidationError: the statement and the struct have drifted apart.
    """
    return msgspec.convert(dict(record), kind)


def read_optional(record: asyncpg.Record | None, kind: type[RowT]) -> RowT | None:
    """Return a record as a struct, or None for no record."""
    return None if record is None else read_row(record, kind)
