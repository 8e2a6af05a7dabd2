"""The one way a ticket changes: checked, once, remembered, told; or not at all."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from server.services.problems import TicketChanged
from server.services.rows import ActorRef, HistoryRow, TicketRow
from server.services.transition import Changes, Move, move_ticket
from shared.ids import TicketId
from shared.tickets.lifecycle import Actor, State, TransitionDenied, TransitionInvalid
from tests.integration.server.selling.stage import Shop

SYSTEM = ActorRef(kind=Actor.SYSTEM, id="test")
ORGANISER = ActorRef(kind=Actor.ORGANISER, id="test")


def step(shop: Shop, to: State, actor: ActorRef = SYSTEM, reason: str | None = None) -> Move:
    """Return a plain step."""
    return Move(to=to, actor=actor, source="test", now=shop.clock.now(), reason=reason)


async def take(shop: Shop, row: TicketRow, move: Move) -> TicketRow:
    """Take a step in a transaction of its own."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        return await move_ticket(tx, shop.context.vault, row, move)


async def bought(shop: Shop) -> TicketRow:
    """Return a fresh ticket."""
    (ticket,) = await shop.buy(shop.buyer())
    return await shop.ticket(ticket)


async def test_a_step_raises_the_version_and_leaves_a_trace(shop: Shop) -> None:
    row = await bought(shop)
    after = await take(shop, row, step(shop, State.REVOKED, ORGANISER, "chargeback"))
    assert after == await shop.ticket(row.id)
    assert (after.state, after.version, after.generation) == (State.REVOKED, row.version + 1, row.generation)
    last = (await history(shop, row.id))[-1]
    assert (last.from_state, last.to_state, last.reason, last.actor) == (
        State.ACTIVE,
        State.REVOKED,
        "chargeback",
        ORGANISER,
    )


async def test_of_many_at_once_one_wins_and_the_others_are_told(shop: Shop) -> None:
    row = await bought(shop)
    outcomes = await asyncio.gather(
        *(take(shop, row, step(shop, State.CHECKED_IN)) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, TicketRow) for one in outcomes) == 1
    assert sum(isinstance(one, TicketChanged) for one in outcomes) == 7
    assert (await shop.ticket(row.id)).version == row.version + 1
    assert len(await history(shop, row.id)) == 3


async def test_steps_the_table_does_not_have_change_nothing(shop: Shop) -> None:
    row = await bought(shop)
    before = len(await shop.queued())
    with pytest.raises(TransitionInvalid):
        await take(shop, row, step(shop, State.SOLD))
    with pytest.raises(TransitionDenied):
        await take(shop, row, step(shop, State.REVOKED, ActorRef(kind=Actor.HOLDER, id="x"), "fraud_detected"))
    with pytest.raises(TransitionDenied, match="reason"):
        await take(shop, row, step(shop, State.REVOKED, ORGANISER))
    assert await shop.ticket(row.id) == row
    assert len(await shop.queued()) == before


async def test_the_database_holds_against_a_caller_that_does_not_check(shop: Shop) -> None:
    row = await bought(shop)
    used = await take(shop, row, step(shop, State.USED))
    with pytest.raises(TransitionInvalid):
        async with shop.context.db.tenant(shop.tenant) as tx:
            await tx.tickets.step(used, row, shop.clock.now())


async def test_a_failed_transaction_takes_step_trace_and_message_with_it(shop: Shop) -> None:
    row = await bought(shop)
    before = len(await shop.queued())
    with pytest.raises(TicketChanged, match="on purpose"):
        await take_and_fail(shop, row)
    assert await shop.ticket(row.id) == row
    assert len(await shop.queued()) == before
    assert len(await history(shop, row.id)) == 2


async def test_a_savepoint_can_fail_alone(shop: Shop) -> None:
    row, other = await bought(shop), await bought(shop)
    async with shop.context.db.tenant(shop.tenant) as tx:
        await move_ticket(tx, shop.context.vault, row, step(shop, State.CHECKED_IN))
        with pytest.raises(TransitionInvalid):
            async with tx.savepoint():
                await move_ticket(tx, shop.context.vault, other, step(shop, State.SOLD))
    assert (await shop.ticket(row.id)).state is State.CHECKED_IN
    assert (await shop.ticket(other.id)).state is State.ACTIVE


async def test_only_what_is_given_changes(shop: Shop) -> None:
    row = await bought(shop)
    changes = Changes(holder_name="Ada L.", locked=None)
    after = await take(shop, row, replace(step(shop, State.CHECKED_IN), changes=changes))
    assert (after.holder_name, after.owner, after.seat, after.locked) == ("Ada L.", row.owner, row.seat, None)
    assert "Ada" not in repr(after)


async def take_and_fail(shop: Shop, row: TicketRow) -> None:
    """Take a step in a transaction that fails afterwards."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        await move_ticket(tx, shop.context.vault, row, step(shop, State.CHECKED_IN))
        raise TicketChanged("on purpose")


async def history(shop: Shop, ticket: TicketId) -> list[HistoryRow]:
    """Return a ticket's steps."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        return await tx.tickets.history(ticket)
