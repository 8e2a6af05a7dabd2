"""Bookmarks in long lists of tickets: where a numbered page begins, as the page before it was shown a moment ago.

A list that changes meanwhile goes on where its reader left it, which numbered pages otherwise do not promise.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import State

LAST_PAGE = 1000
"""How far down numbered pages go; a cursor goes to the end."""
KEPT = timedelta(minutes=1)


class Wish(Struct, frozen=True, kw_only=True):
    """Which of their tickets somebody wants to see: a page by its number, or what follows a ticket."""

    event: EventId | None = None
    state: State | None = None
    after: UUID | None = None
    page: int = 1
    limit: int


async def read_mark(context: Context, user: User, wish: Wish) -> UUID | None:
    """Return the id below which a page begins; None where nobody was lately."""
    kept = await context.ephemeral.get(user.tenant, _key(user, wish, wish.page))
    return None if kept is None else UUID(bytes=kept)


async def leave_marks(context: Context, user: User, wish: Wish, shown: tuple[TicketId, TicketId | None]) -> None:
    """Keep where a page that was shown begins, and where the next one does if there is one: first and last ticket of it."""
    first, last = shown
    above = UUID(int=first.int + 1)
    await context.ephemeral.put(user.tenant, _key(user, wish, wish.page), above.bytes, KEPT)
    if last is not None:
        await context.ephemeral.put(user.tenant, _key(user, wish, wish.page + 1), last.bytes, KEPT)


def _key(user: User, wish: Wish, page: int) -> str:
    return f"page:{user.user}:{wish.event}:{wish.state}:{wish.limit}:{page}"
