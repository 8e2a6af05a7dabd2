"""What was minted for a ticket is asked to be burned once the ticket is void, whoever made it so; nothing else is."""

from __future__ import annotations

import os
from datetime import timedelta
from uuid import uuid4

from server.domain.access import User
from server.services.burn import BURN_REQUESTED
from server.services.endings import CANCELLING, EndingOrder, begin_ending, step_ending
from server.services.refund import refund_ticket
from server.services.rows import ActorRef, TicketRow
from server.services.rows_organiser import EndingKind
from server.services.ticket_care import API_SOURCE, Caretaker, revoke
from server.services.transition import Move, issue_tickets, move_ticket
from shared.ids import TicketId, uuid7
from shared.tickets.lifecycle import Actor, RevocationReason, State
from tests.integration.server.selling.stage import Shop, fresh_key

ASKED = "SELECT subject FROM facts WHERE key = $1 ORDER BY id"
BOSS = ActorRef(kind=Actor.ORGANISER, id=str(uuid4()))


async def minted(shop: Shop, owner: User) -> TicketId:
    """Return somebody's ticket that waited for minting before it was good."""
    now = shop.clock.now()
    sold = TicketRow(
        tenant=shop.tenant,
        id=TicketId(uuid7(now, os.urandom)),
        event=shop.event,
        ticket_type=shop.standing,
        order=None,
        owner=owner.user,
        holder_name="",
        seat="",
        state=State.SOLD,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )
    step = Move(to=State.MINTED, actor=ActorRef(kind=Actor.SYSTEM, id="mint"), source="mint", now=now)
    async with shop.context.db.tenant(shop.tenant) as tx:
        await tx.organising.sell_free(shop.standing, 1)
        (row,) = await issue_tickets(tx, shop.context.vault, [sold], await tx.stock.of_event(shop.event), step)
        ready = Move(to=State.ACTIVE, actor=step.actor, source="mint", now=now)
        await move_ticket(tx, shop.context.vault, row, ready)
    return row.id


async def asked(shop: Shop) -> set[object]:
    """Return for which tickets burning was asked; asking twice for one fails here."""
    async with shop.parts.database.worker() as unit:
        found = [row["subject"] for row in await unit._connection.fetch(ASKED, BURN_REQUESTED)]
    assert len(found) == len(set(found))
    return set(found)


async def test_what_is_given_back_is_burned(shop: Shop) -> None:
    shop.clock.step_wall(-timedelta(days=2))
    ada = shop.buyer()
    ticket, (plain,) = await minted(shop, ada), await shop.buy(ada)
    await refund_ticket(shop.context, ada, fresh_key(), plain)
    assert await asked(shop) == set()
    await refund_ticket(shop.context, ada, fresh_key(), ticket)
    assert await asked(shop) == {ticket}


async def test_what_is_taken_back_is_burned(shop: Shop) -> None:
    ada, by = shop.buyer(), Caretaker(tenant=shop.tenant, actor=BOSS, source=API_SOURCE)
    ticket, (plain,) = await minted(shop, ada), await shop.buy(ada)
    for one in (plain, ticket):
        await revoke(shop.context, by, one, RevocationReason.FRAUD_DETECTED)
    assert await asked(shop) == {ticket}


async def test_what_is_called_off_is_burned(shop: Shop) -> None:
    ada = shop.buyer()
    tickets = {await minted(shop, ada), await minted(shop, ada)}
    await shop.buy(ada)
    order = EndingOrder(event=shop.event, kind=EndingKind.CANCEL, reason="storm", actor=BOSS, source=CANCELLING)
    await begin_ending(shop.context, shop.tenant, order)
    while await step_ending(shop.context, shop.tenant, shop.event, batch=2):
        pass
    assert await asked(shop) == tickets
