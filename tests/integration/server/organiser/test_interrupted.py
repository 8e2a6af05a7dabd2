"""Long work that is broken off: whoever comes next goes on, and nothing is done twice or left half-done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from server.domain.access import Role, User
from server.services.chores import SILENCE, do_chores
from server.services.endings import CANCELLING, CLOSING, EndingOrder, begin_ending, read_ending, step_ending
from server.services.import_apply import begin_import, step_import
from server.services.import_file import read_import, receive_import
from server.services.problems_organiser import EventStateWrong, ImportRunning
from server.services.rows import ActorRef, Page
from server.services.rows_organiser import EndingKind, ImportRow, ImportState, TicketFilter
from shared.clock import ManualClock
from shared.ids import UserId
from shared.tickets.lifecycle import Actor
from tests.conftest import Databases
from tests.integration.server.selling.stage import NOON, Shop, open_shop_on


@pytest.fixture
async def shop(database: Databases) -> AsyncIterator[Shop]:
    """Give a shop without a server, so that long work is done only where a test does it."""
    async with open_shop_on(database, ManualClock(NOON)) as opened:
        yield opened


ASKED = """
SELECT payload FROM facts WHERE key = 'payment.refund_requested' ORDER BY id
"""


def boss(shop: Shop) -> User:
    """Return the shop's organiser."""
    return User(tenant=shop.tenant, user=UserId(uuid4()), role=Role.VENUE_MANAGER)


def ending(shop: Shop, kind: EndingKind) -> EndingOrder:
    """Return the order to end the shop's event."""
    actor = ActorRef(kind=Actor.ORGANISER, id="boss")
    source = CANCELLING if kind is EndingKind.CANCEL else CLOSING
    return EndingOrder(event=shop.event, kind=kind, reason="storm", actor=actor, source=source, force=True)


async def guests(count: int, first: int = 0) -> AsyncIterator[bytes]:
    """Send a file, a line at a time."""
    yield b"external_id,ticket_type\n"
    for number in range(first, first + count):
        yield b"x-%d,Standing\n" % number


async def names(shop: Shop) -> list[str]:
    """Return which rows have become tickets."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        found = await tx.organising.list_tickets(shop.event, TicketFilter(), Page(limit=100))
    return sorted(one.external_id or "" for one in found)


async def test_import_goes_on_row_by_row_and_keeps_the_event_from_ending(shop: Shop) -> None:
    context = shop.context
    view = await receive_import(context, boss(shop), shop.event, guests(10))
    assert (view.state, view.rows, view.applied) == ("applying", 10, 0)
    # Paid out of the stock before the first ticket is made: nobody else can take these places.
    stock = await shop.stock()
    assert (stock.available, stock.sold) == (40, 10)
    assert await step_import(context, shop.tenant, view.id, batch=4)
    assert (await read_import(context, shop.tenant, view.id)).applied == 4
    with pytest.raises(ImportRunning):
        await begin_ending(context, shop.tenant, ending(shop, EndingKind.CANCEL))
    while await do_chores(context, shop.parts.database):
        pass
    done = await read_import(context, shop.tenant, view.id)
    assert (done.state, done.applied) == ("done", 10)
    assert await names(shop) == [f"x-{number}" for number in range(10)]
    assert (await begin_ending(context, shop.tenant, ending(shop, EndingKind.CANCEL))).total == 10


async def test_second_file_waits_for_the_first_and_makes_nothing_twice(shop: Shop) -> None:
    context, organiser = shop.context, boss(shop)
    first = await receive_import(context, organiser, shop.event, guests(5))
    second = await receive_import(context, organiser, shop.event, guests(5, first=3))
    assert (first.state, second.state) == ("applying", "staged")
    assert not await begin_import(context, shop.tenant, second.id)
    while await do_chores(context, shop.parts.database):
        pass
    done = await read_import(context, shop.tenant, second.id)
    assert (done.state, done.known, done.applied) == ("done", 2, 3)
    assert await names(shop) == [f"x-{number}" for number in range(8)]
    stock = await shop.stock()
    assert (stock.available, stock.sold) == (42, 8)


async def test_file_that_waits_is_refused_when_the_event_ended_meanwhile(shop: Shop) -> None:
    context, organiser = shop.context, boss(shop)
    first = await receive_import(context, organiser, shop.event, guests(2))
    second = await receive_import(context, organiser, shop.event, guests(2, first=10))
    while await step_import(context, shop.tenant, first.id):
        pass
    await begin_ending(context, shop.tenant, ending(shop, EndingKind.CLOSE))
    while await do_chores(context, shop.parts.database):
        pass
    refused = await read_import(context, shop.tenant, second.id)
    assert (refused.state, [one.code for one in refused.errors]) == ("refused", ["event_over"])
    with pytest.raises(EventStateWrong):
        await receive_import(context, organiser, shop.event, guests(1))


async def test_file_whose_sender_is_gone_is_given_up(shop: Shop) -> None:
    now = shop.clock.now()
    row = ImportRow(
        id=uuid4(),
        event=shop.event,
        state=ImportState.RECEIVING,
        actor_id="boss",
        received=0,
        known=0,
        applied=0,
        faults=0,
        created_at=now,
        updated_at=now,
        finished_at=None,
    )
    async with shop.context.db.tenant(shop.tenant) as tx:
        await tx.imports.add(row)
    await do_chores(shop.context, shop.parts.database)
    assert (await read_import(shop.context, shop.tenant, row.id)).state == "receiving"
    shop.clock.advance(SILENCE + timedelta(seconds=1))
    await do_chores(shop.context, shop.parts.database)
    given_up = await read_import(shop.context, shop.tenant, row.id)
    assert (given_up.state, [one.code for one in given_up.errors]) == ("refused", ["incomplete"])


async def test_end_is_finished_by_others_and_a_purchase_on_its_way_is_part_of_it(shop: Shop) -> None:
    buyer, other = shop.buyer(), shop.buyer()
    await shop.buy(buyer, 3)
    held = await shop.reserve(other, 2)
    begun = await begin_ending(shop.context, shop.tenant, ending(shop, EndingKind.CANCEL))
    assert (begun.total, begun.done) == (3, 0)
    assert await step_ending(shop.context, shop.tenant, shop.event, batch=2)
    released = await read_ending(shop.context, shop.tenant, shop.event)
    assert (released.reservations, released.done) == (1, 0)
    assert await step_ending(shop.context, shop.tenant, shop.event, batch=2)
    assert (await read_ending(shop.context, shop.tenant, shop.event)).done == 2
    while await do_chores(shop.context, shop.parts.database):
        pass
    done = await read_ending(shop.context, shop.tenant, shop.event)
    assert (done.state, done.cancelled, done.refunds) == ("done", 3, 3)
    async with shop.context.db.tenant(shop.tenant) as tx:
        reservation = await tx.orders.get_reservation(held.reservation_id)
        sales = await tx.refunds.list(shop.event, Page(limit=10))
    assert reservation is not None
    assert reservation.state == "cancelled"
    assert {one.amount_cents for one in sales} == {4500}
    assert all(isinstance(one.order, UUID) for one in sales)
    async with shop.parts.database.worker() as unit:
        asked = [msgspec.json.decode(row["payload"]) for row in await unit._connection.fetch(ASKED)]
    assert [(one["amountCents"], len(one["ticketIds"])) for one in asked] == [(9000, 2), (4500, 1)]
    assert {one["paymentId"] for one in asked} == {one.payment_id for one in sales}
    stock = await shop.stock()
    assert (stock.available, stock.reserved, stock.sold) == (47, 0, 3)
