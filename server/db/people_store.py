"""People's names and addresses in PostgreSQL, and everything of one tenant to take along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from server.db.driver import Connection
from server.db.statements import load_statements
from shared.ids import EventId, TicketId, UserId
from shared.tickets.lifecycle import TERMINAL

_SQL = load_statements("people.sql")
_TAKEOUT = load_statements("takeout.sql")
_OVER = [state.value for state in sorted(TERMINAL)]


class PeopleStore:
    """Implements ``server.services.ports_people.People``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def erase_holders(self, event: EventId, now: datetime, limit: int) -> int:
        """Take the names off up to ``limit`` of an event's tickets."""
        return await self._change("erase_holders", event, now, limit)

    async def erase_ended_of_owner(self, owner: UserId, now: datetime) -> int:
        """Take the names off somebody's tickets that are over."""
        return await self._change("erase_ended_of_owner", owner, now, _OVER)

    async def named_of_owner(self, owner: UserId) -> list[TicketId]:
        """Return somebody's tickets with a name that are not over."""
        rows = await self._connection.fetch(_SQL["named_of_owner"], owner, _OVER)
        return [TicketId(row["id"]) for row in rows]

    async def erase_event(self, event: EventId, now: datetime) -> tuple[int, int]:
        """Erase an event's offers and rows of files, and mark it."""
        offers = await self._change("erase_offers_of_event", event, now)
        lines = await self._change("erase_files_of_event", event)
        await self._change("mark_erased", event, now)
        return offers, lines

    async def erase_person(self, user: UserId | None, email: str | None, now: datetime) -> tuple[int, int]:
        """Erase somebody's offers and rows of finished files."""
        offers = await self._change("erase_offers_of_person", user, email, now)
        return offers, await self._change("erase_files_of_person", user)

    async def erase_answers(self, user: UserId | None, email: str | None) -> int:
        """Empty the answers kept for repeated calls that tell of somebody."""
        return await self._change("erase_answers_of_person", user, email)

    async def _change(self, name: str, *values: object) -> int:
        status = await self._connection.execute(_SQL[name], *values)
        return int(status.rpartition(" ")[2])


class TakeoutStore:
    """Implements ``server.services.ports_people.Takeout`` inside one tenant's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tables(self) -> list[str]:
        """Return the names of all tables with rows of tenants."""
        return [str(row["name"]) for row in await self._connection.fetch(_TAKEOUT["tables"])]

    async def rows(self, table: str) -> AsyncIterator[str]:
        """Yield a table's rows as JSON objects, a few hundred at a time from the server."""
        # The server itself quotes the name: it cannot be a parameter of the statement that reads it.
        command = await self._connection.fetchval(_TAKEOUT["read_command"], table)
        async for row in self._connection.cursor(command, prefetch=500):
            yield str(row["line"])
