"""An event that is called off while people are at work on it: nothing is held, and no seat is free, once its end is done."""

from __future__ import annotations

import asyncio

import pytest

from server.db.driver import Connection
from server.domain.rules import RefundRules
from server.services.endings import CANCELLING, EndingOrder, EndingView, begin_ending, read_ending, step_ending
from server.services.issue import IssueLine, IssueRequest, issue
from server.services.problems import NotOnSale
from server.services.problems_organiser import SeatNotFree
from server.services.refund import refund_ticket
from server.services.reservations import read_reservation
from server.services.rows import ActorRef, ReservationState
from server.services.rows_organiser import EndingKind, EndingState
from shared.tickets.lifecycle import Actor, State
from tests.conftest import Databases
from tests.integration.server.schema.connections import connected
from tests.integration.server.selling.seating import Stalls, change_event, faults_of_stock, open_stalls, organiser
from tests.integration.server.selling.stage import Shop, fresh_key

PATIENCE_S = 20.0
WAITING = """
SELECT count(DISTINCT l.pid) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""


async def call_off(shop: Shop) -> None:
    """Begin to cancel the shop's event."""
    actor = ActorRef(kind=Actor.ORGANISER, id=str(organiser(shop).user))
    order = EndingOrder(event=shop.event, kind=EndingKind.CANCEL, reason="storm", actor=actor, source=CANCELLING)
    await begin_ending(shop.context, shop.tenant, order)


async def finish(shop: Shop) -> EndingView:
    """Work the event's end off."""
    while await step_ending(shop.context, shop.tenant, shop.event):
        pass
    return await read_ending(shop.context, shop.tenant, shop.event)


async def until_waiting(watcher: Connection, *tasks: asyncio.Task[object]) -> None:
    """Return once each of these is over or waits for a lock of another transaction."""
    async with asyncio.timeout(PATIENCE_S):
        while await watcher.fetchval(WAITING) < sum(not one.done() for one in tasks):
            pass


async def states_of(stalls: Stalls) -> set[State]:
    """Return in which states the seats' first tickets are."""
    return {(await stalls.shop.ticket(seat)).state for seat in stalls.seats}


async def test_reservation_that_waits_when_the_event_is_called_off_is_refused(shop: Shop, database: Databases) -> None:
    stalls = await open_stalls(shop, rows=2)
    async with (
        connected(database.owner_dsn) as watcher,
        asyncio.TaskGroup() as group,
        shop.context.db.tenant(shop.tenant) as tx,
    ):
        await tx.stock.lock([stalls.kind])
        taken = group.create_task(_refused(stalls))
        await until_waiting(watcher, taken)
        await call_off(shop)
        ended = group.create_task(finish(shop))
        await until_waiting(watcher, taken, ended)
    assert taken.result() == "not_on_sale"
    assert (ended.result().state, ended.result().cancelled) == (EndingState.DONE, 2)
    assert await states_of(stalls) == {State.CANCELLED}
    assert (await shop.stock(stalls.kind)).reserved == 0


async def test_reservation_made_while_the_event_is_called_off_ends_with_it(shop: Shop, database: Databases) -> None:
    stalls, ada = await open_stalls(shop, rows=2), shop.buyer()
    async with (
        connected(database.owner_dsn) as watcher,
        connected(database.owner_dsn) as blocker,
        asyncio.TaskGroup() as group,
        blocker.transaction(),
    ):
        await blocker.execute("LOCK TABLE reservation_lines IN EXCLUSIVE MODE")
        taken = group.create_task(shop.reserve(ada, 3))
        await until_waiting(watcher, taken)
        await call_off(shop)
        ended = group.create_task(finish(shop))
        await until_waiting(watcher, taken, ended)
    held = await read_reservation(shop.context, ada, taken.result().reservation_id)
    assert held.status is ReservationState.CANCELLED
    assert (ended.result().state, ended.result().reservations) == (EndingState.DONE, 1)
    assert (await shop.stock()).reserved == 0
    assert await states_of(stalls) == {State.CANCELLED}


async def test_seat_given_back_while_the_event_is_called_off_is_not_free_in_the_end(
    shop: Shop, database: Databases
) -> None:
    stalls, ada = await open_stalls(shop, rows=1), shop.buyer()
    await change_event(shop, refund_rules=RefundRules(deadline_s=0))
    await shop.pay(ada, await stalls.take(ada, 0))
    async with (
        connected(database.owner_dsn) as watcher,
        connected(database.owner_dsn) as blocker,
        asyncio.TaskGroup() as group,
        blocker.transaction(),
    ):
        await blocker.execute("LOCK TABLE ticket_history IN EXCLUSIVE MODE")
        back = group.create_task(refund_ticket(shop.context, ada, fresh_key(), stalls.seats[0]))
        await until_waiting(watcher, back)
        await call_off(shop)
        ended = group.create_task(finish(shop))
        await until_waiting(watcher, back, ended)
    assert back.result().status == 200
    assert ended.result().state is EndingState.DONE
    assert await stalls.free() == []


async def test_box_office_never_waits_for_a_seat_that_is_somebodys(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop, rows=2), shop.buyer()
    await shop.pay(ada, await stalls.take(ada, 0))
    line = IssueLine(ticket_type_id=stalls.kind, seat_id=stalls.seats[0])
    wanted = IssueRequest(tickets=[line], reason="guest list")
    async with asyncio.timeout(PATIENCE_S), shop.context.db.tenant(shop.tenant) as tx:
        # As whoever gives it back or hands it over does: the ticket first, its type afterwards.
        assert await tx.tickets.lock(stalls.seats[0]) is not None
        with pytest.raises(SeatNotFree):
            await issue(shop.context, organiser(shop), fresh_key(), shop.event, wanted)
        await tx.stock.lock([stalls.kind])
    assert await faults_of_stock(shop) == []


async def _refused(stalls: Stalls) -> str:
    with pytest.raises(NotOnSale) as refusal:
        await stalls.take(stalls.shop.buyer(), 0)
    return refusal.value.code
