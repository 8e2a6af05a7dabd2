"""A transaction that begins inside a tenant, on one round trip instead of two."""

from __future__ import annotations

from typing import Any, cast

import asyncpg

from server.db.driver import Connection
from shared.problems import Internal


class EnteringConnection(asyncpg.Connection):
    """A connection that can send a statement along with the BEGIN of its next transaction."""

    _along: str | None = None

    def send_along(self, statement: str) -> None:
        """Have the next transaction begin with a statement, which takes no parameters."""
        self._along = statement

    def has_sent(self) -> bool:
        """Tell whether that statement was sent."""
        return self._along is None

    async def execute(self, query: str, *args: Any, **how: Any) -> str:
        """Execute a statement, or several where there are no parameters."""
        if self._along is not None and query.startswith("BEGIN"):
            query, self._along = f"{query.rstrip(';')};\n{self._along}", None
        return await super().execute(query, *args, **how)


def send_along(connection: Connection, statement: str) -> None:
    """Have a pooled connection's next transaction begin with a statement."""
    cast("EnteringConnection", connection).send_along(statement)


def check_sent(connection: Connection) -> None:
    """Return if the statement went with the transaction that has begun.

    Raises:
        Internal: it did not: the transaction is in no tenant, and sees nothing.
    """
    if not cast("EnteringConnection", connection).has_sent():
        raise Internal("The driver begins transactions otherwise than this program knows: use the pinned version.")
