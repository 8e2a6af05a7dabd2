"""Numbered seats against a real database: taken by name or picked, once each, and back on sale as soon as they are let go."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from server.services.event_views import OrganiserType
from server.services.problems import EventUnknown, LimitExceeded, NotEnoughLeft, ReservationExpired
from server.services.problems_attendee import SeatTaken, SeatUnknown
from server.services.purchase import Purchased
from server.services.reservation_view import Reserved
from server.services.reservations import read_reservation, release_reservation
from server.services.reserve import ReserveRequest, reserve
from server.services.rows import HistoryRow, ReservationState
from server.services.stock_care import TypeRequest, add_type
from server.services.sweep import sweep
from shared.ids import TenantId, TicketId
from shared.problems import TicketTokenError
from shared.sync.feed import TicketEntry
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.selling.seating import faults_of_stock, open_stalls, organiser
from tests.integration.server.selling.stage import Shop, fresh_key

HOLD = timedelta(minutes=10)


async def history(shop: Shop, ticket: TicketId) -> list[HistoryRow]:
    """Return a ticket's steps."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        return await tx.tickets.history(ticket)


async def test_named_seats_are_held_and_then_somebodys(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop), shop.buyer()
    held = await stalls.take(ada, 3, 1)
    assert [one.seat for one in held.seats] == ["A 2", "A 4"]
    assert (held.total_cents, held.tickets[0].quantity) == (16000, 2)
    assert "A 2" not in await stalls.free()
    assert (await shop.ticket(stalls.seats[1])).state is State.RESERVED
    bought = msgspec.json.decode((await shop.pay(ada, held)).body, type=Purchased)
    assert {one.ticket_id for one in bought.tickets} == {stalls.seats[1], stalls.seats[3]}
    row = await shop.ticket(stalls.seats[1])
    assert (row.state, row.owner, row.seat, row.order) == (State.ACTIVE, ada.user, "A 2", bought.order_id)
    steps = await history(shop, row.id)
    assert [(one.to_state, one.version) for one in steps] == [
        (State.AVAILABLE, 1),
        (State.RESERVED, 2),
        (State.SOLD, 3),
        (State.ACTIVE, 4),
    ]
    assert steps[1].actor.kind is Actor.HOLDER
    assert await faults_of_stock(shop) == []


async def test_gates_hear_of_a_seat_only_when_somebody_may_enter_with_it(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop), shop.buyer()
    before = len(await shop.queued())
    held = await stalls.take(ada, 0)
    assert len(await shop.queued()) == before
    await shop.pay(ada, held)
    (entry,) = (await shop.queued())[before:]
    assert isinstance(entry, TicketEntry)
    assert (entry.state, entry.version) == (State.ACTIVE, 4)
    async with shop.context.db.tenant(shop.tenant) as tx:
        found = await tx.tickets.find_handle(shop.event, entry.handle_hash)
    assert found is not None
    assert found.ticket == stalls.seats[0]


async def test_one_seat_goes_to_one_of_eight(shop: Shop) -> None:
    stalls = await open_stalls(shop)

    async def try_one() -> str:
        buyer = shop.buyer()
        try:
            await shop.pay(buyer, await stalls.take(buyer, 4, 5))
        except TicketTokenError as problem:
            return problem.code
        return "bought"

    assert Counter(await asyncio.gather(*(try_one() for _ in range(8)))) == {"bought": 1, "seat_taken": 7}
    assert await faults_of_stock(shop) == []


async def test_overlapping_wishes_in_any_order_never_lock_each_other_out(shop: Shop) -> None:
    stalls = await open_stalls(shop)
    wishes = [(0, 1, 2), (2, 1, 0), (2, 3, 4), (4, 3, 2), (5, 6), (6, 5), (7, 8, 9), (9, 8, 7)]
    outcomes = await asyncio.gather(*(stalls.take(shop.buyer(), *wish) for wish in wishes), return_exceptions=True)
    assert {type(one) for one in outcomes if isinstance(one, BaseException)} == {SeatTaken}
    assert await faults_of_stock(shop) == []


async def test_buyers_and_payers_of_seats_and_places_never_lock_each_other_out(shop: Shop) -> None:
    # made before the seats, so that its row is locked before theirs
    wanted = TypeRequest(name="Garden", price_cents=1000, currency="EUR", total=100)
    made = await add_type(shop.context, organiser(shop), fresh_key(), shop.event, wanted)
    garden = msgspec.json.decode(made.body, type=OrganiserType).id
    shop.clock.advance(timedelta(seconds=1))
    stalls = await open_stalls(shop, rows=10)
    assert garden < stalls.kind
    order = shop.order((garden, 1), (stalls.kind, 1))

    async def buy() -> None:
        buyer = shop.buyer()
        answer = await reserve(shop.context, buyer, fresh_key(), order)
        await shop.pay(buyer, msgspec.json.decode(answer.body, type=Reserved))

    await asyncio.gather(*(buy() for _ in range(10)))
    assert ((await shop.stock(stalls.kind)).sold, (await shop.stock(garden)).sold) == (10, 10)
    assert await faults_of_stock(shop) == []


async def test_a_taken_seat_takes_the_whole_wish_with_it(shop: Shop) -> None:
    stalls = await open_stalls(shop)
    await stalls.take(shop.buyer(), 4)
    with pytest.raises(SeatTaken, match="A 5"):
        await stalls.take(shop.buyer(), 3, 4, 5)
    assert len(await stalls.free()) == 9


async def test_whoever_does_not_mind_gets_the_first_free_seats(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop, rows=4), shop.buyer()
    await stalls.take(shop.buyer(), 0)
    answer = await reserve(shop.context, ada, fresh_key(), shop.order((stalls.kind, 2), (shop.standing, 1)))
    held = msgspec.json.decode(answer.body, type=Reserved)
    assert [one.seat for one in held.seats] == ["A 2", "A 3"]
    assert held.total_cents == 2 * 8000 + 4500
    with pytest.raises(NotEnoughLeft):
        await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((stalls.kind, 2)))
    bought = msgspec.json.decode((await shop.pay(ada, held)).body, type=Purchased)
    assert len(bought.tickets) == 3
    assert await faults_of_stock(shop) == []


async def test_letting_go_and_time_both_free_the_seats(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop, rows=2), shop.buyer()
    held = await stalls.take(ada, 0)
    ended = await release_reservation(shop.context, ada, held.reservation_id)
    assert ended.status is ReservationState.CANCELLED
    assert await stalls.free() == ["A 1", "A 2"]
    late = await stalls.take(shop.buyer(), 0)
    shop.clock.advance(HOLD)
    # lazily, by whoever wants the seat next
    again = await stalls.take(shop.buyer(), 0)
    assert again.seats[0].ticket_id == late.seats[0].ticket_id
    shop.clock.advance(HOLD)
    assert (await sweep(shop.context, shop.parts.database)).events == 1
    assert await stalls.free() == ["A 1", "A 2"]
    steps = [one.to_state for one in await history(shop, stalls.seats[0])]
    assert steps == [State.AVAILABLE] + [State.RESERVED, State.AVAILABLE] * 3
    assert await faults_of_stock(shop) == []


async def test_an_overdue_seat_is_not_sold_to_whom_it_was_held_for(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop), shop.buyer()
    held = await stalls.take(ada, 0)
    shop.clock.advance(HOLD)
    with pytest.raises(ReservationExpired):
        await shop.pay(ada, held)
    assert (await read_reservation(shop.context, ada, held.reservation_id)).status is ReservationState.EXPIRED
    assert len(await stalls.free()) == 10


async def test_limits_hold_for_seats_too(shop: Shop) -> None:
    stalls = await open_stalls(shop, max_per_order=2)
    with pytest.raises(LimitExceeded, match="At most 2"):
        await stalls.take(shop.buyer(), 0, 1, 2)
    assert len(await stalls.free()) == 10


async def test_what_is_no_seat_of_this_event_cannot_be_taken(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop), shop.buyer()
    (standing,) = await shop.buy(ada)
    for wanted in (TicketId(uuid4()), standing):
        with pytest.raises(SeatUnknown):
            await reserve(shop.context, shop.buyer(), fresh_key(), ReserveRequest(event_id=shop.event, seats=[wanted]))
    stranger = replace(shop.buyer(), tenant=TenantId(uuid4()))
    with pytest.raises(EventUnknown):
        await stalls.take(stranger, 0)


@pytest.mark.parametrize(
    "body",
    [
        '{"eventId":"%s"}',
        '{"eventId":"%s","seats":[]}',
        '{"eventId":"%s","seats":["%s","%s"]}',
        '{"eventId":"%s","seats":["%s"],"tickets":[{"ticketTypeId":"%s","quantity":1}]}',
    ],
)
def test_a_wish_names_either_places_or_seats_each_once(body: str) -> None:
    same = str(uuid4())
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body % ((same,) * body.count("%s")), type=ReserveRequest)
