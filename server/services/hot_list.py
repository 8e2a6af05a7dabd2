"""The hot list: ticket generations shown on two phones at once, told to all gates of the event until that is settled.

It is no table: it follows from the conflicts of class ``clone``, except for those that turned out benign or a mistake of the
staff. A new generation of the ticket (transfer, re-issue) is not on it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from server.services.ports import Unit
from shared.ids import EventId, TicketId
from shared.sync.feed import HotEntry


@asynccontextmanager
async def watching_hot_list(tx: Unit, event: EventId, tickets: Sequence[TicketId]) -> AsyncIterator[None]:
    """Tell the gates what the block changes about an event's tickets, which the transaction has locked."""
    if not tickets:
        yield
        return
    before = await tx.conflicts.hot_of_tickets(tickets)
    yield
    after = await tx.conflicts.hot_of_tickets(tickets)
    entries = [HotEntry(seq=0, handle_hash=one, hot=one in after) for one in sorted(before ^ after)]
    if entries:
        await tx.outbox.append(event, entries)
