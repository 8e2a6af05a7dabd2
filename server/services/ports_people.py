"""Where people's names and addresses are kept, as a Protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from shared.ids import EventId, TicketId, UserId


class People(Protocol):
    """What is personal in one tenant's rows."""

    async def erase_holders(self, event: EventId, now: datetime, limit: int) -> int:
        """Take the names off up to ``limit`` of an event's tickets and return how many there were."""
        ...

    async def erase_ended_of_owner(self, owner: UserId, now: datetime) -> int:
        """Take the names off somebody's tickets that are over; return how many there were."""
        ...

    async def named_of_owner(self, owner: UserId) -> list[TicketId]:
        """Return somebody's tickets with a name that are not over."""
        ...

    async def erase_event(self, event: EventId, now: datetime) -> tuple[int, int]:
        """Erase an event's offers and rows of files; return how many of each, and mark the event as done."""
        ...

    async def erase_person(self, user: UserId | None, email: str | None, now: datetime) -> tuple[int, int]:
        """Erase somebody's offers and rows of finished files; return how many of each."""
        ...

    async def erase_answers(self, user: UserId | None, email: str | None) -> int:
        """Empty the answers kept for repeated calls that tell of somebody; return how many there were."""
        ...


class Takeout(Protocol):
    """Everything of one tenant, table by table."""

    async def tables(self) -> list[str]:
        """Return the names of all tables with rows of tenants."""
        ...

    def rows(self, table: str) -> AsyncIterator[str]:
        """Yield a table's rows of this tenant as JSON objects, secrets left out."""
        ...
