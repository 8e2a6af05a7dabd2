"""Asking whoever mints to burn what was minted for a ticket that is void."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

import msgspec
from msgspec import Struct

from server.services.correlation import present_correlation
from server.services.ports import Unit
from server.services.rows import TicketRow
from server.services.rows_facts import FactRow
from shared.ids import EventId, TicketId

BURN_REQUESTED = "ticket.burn_requested"


class BurnPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which ticket's token is to be burned."""

    ticket_id: TicketId
    event_id: EventId


async def request_burn(tx: Unit, ticket: TicketRow, now: datetime) -> None:
    """Queue the request; a ticket is burned once, so that the message is the same however often it is sent."""
    await request_burns(tx, [ticket], now)


async def request_burns(tx: Unit, tickets: Sequence[TicketRow], now: datetime) -> None:
    """Queue the requests for several tickets at once."""
    await tx.facts.add([_fact(ticket, now) for ticket in tickets])


def _fact(ticket: TicketRow, now: datetime) -> FactRow:
    return FactRow(
        message_id=uuid5(ticket.id, BURN_REQUESTED),
        key=BURN_REQUESTED,
        subject=ticket.id,
        payload=msgspec.json.encode(BurnPayload(ticket_id=ticket.id, event_id=ticket.event)),
        occurred_at=now,
        correlation_id=present_correlation(),
    )
