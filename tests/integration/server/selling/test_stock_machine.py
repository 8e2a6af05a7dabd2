"""Any course of reserving, paying, letting go, waiting and giving back leaves counters that agree with the rows they count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from server.db.problems import RowInTheWay
from server.domain.access import User
from server.services.purchase import Purchased
from server.services.refund import refund_ticket
from server.services.reservation_view import Reserved
from server.services.reservations import read_reservation, release_reservation
from server.services.reserve import ReserveRequest, reserve
from server.services.sweep import sweep
from shared.clock import ManualClock
from shared.ids import TicketId
from shared.problems import Conflict, InputUnusable, NotFound
from tests.conftest import Databases
from tests.integration.server.selling.seating import Stalls, faults_of_stock, open_stalls
from tests.integration.server.selling.stage import NOON, Shop, fresh_key, open_shop_on

COURSES = 12
BUYERS = 3

_who = st.integers(0, BUYERS - 1)
_doings = st.one_of(
    st.tuples(st.just("places"), _who, st.integers(1, 4)),
    st.tuples(st.just("seats"), _who, st.integers(0, 3)),
    st.tuples(st.sampled_from(["any_seats", "both"]), _who, st.integers(1, 3)),
    st.tuples(st.sampled_from(["pay", "look", "let_go", "give_back"]), _who, st.just(0)),
    st.tuples(st.sampled_from(["wait", "sweep"]), _who, st.integers(1, 11)),
)


class Course(Struct, eq=False):
    """One shop and what its buyers did so far."""

    shop: Shop
    stalls: Stalls
    buyers: list[User]
    held: dict[int, Reserved]
    tickets: dict[int, list[TicketId]]
    refused: int = 0

    async def take(self, doing: str, who: int, number: int) -> None:
        """Do one thing; a refusal is an answer like any other."""
        calls: dict[str, Callable[[], Awaitable[None]]] = {
            "places": partial(self.reserve, who, self.shop.order((self.shop.standing, number))),
            "seats": partial(self.take_seats, who, number),
            "any_seats": partial(self.reserve, who, self.shop.order((self.stalls.kind, number))),
            "both": partial(self.reserve, who, self.shop.order((self.shop.standing, number), (self.stalls.kind, 1))),
            "pay": partial(self.pay, who),
            "look": partial(self.look, who),
            "let_go": partial(self.let_go, who),
            "give_back": partial(self.give_back, who),
            "wait": partial(self.wait, number),
            "sweep": self.sweep,
        }
        try:
            await calls[doing]()
        except RowInTheWay:
            raise  # the database had to hold what the program should have
        except (Conflict, NotFound, InputUnusable):
            self.refused += 1

    async def reserve(self, who: int, order: ReserveRequest) -> None:
        """Hold places."""
        answer = await reserve(self.shop.context, self.buyers[who], fresh_key(), order)
        self.held[who] = msgspec.json.decode(answer.body, type=Reserved)

    async def take_seats(self, who: int, number: int) -> None:
        """Hold two seats that lie beside each other."""
        self.held[who] = await self.stalls.take(self.buyers[who], number, number + 1)

    async def pay(self, who: int) -> None:
        """Buy what was held last."""
        if who in self.held:
            answer = await self.shop.pay(self.buyers[who], self.held[who])
            bought = msgspec.json.decode(answer.body, type=Purchased)
            self.tickets[who] += [one.ticket_id for one in bought.tickets]

    async def look(self, who: int) -> None:
        """Look at what was held last."""
        if who in self.held:
            await read_reservation(self.shop.context, self.buyers[who], self.held[who].reservation_id)

    async def let_go(self, who: int) -> None:
        """Let go of what was held last."""
        if who in self.held:
            await release_reservation(self.shop.context, self.buyers[who], self.held[who].reservation_id)

    async def give_back(self, who: int) -> None:
        """Give the latest ticket back."""
        if self.tickets[who]:
            await refund_ticket(self.shop.context, self.buyers[who], fresh_key(), self.tickets[who].pop())

    async def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.shop.clock.advance(timedelta(minutes=minutes))

    async def sweep(self) -> None:
        """Do the housekeeping."""
        await sweep(self.shop.context, self.shop.parts.database)


@settings(max_examples=COURSES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(_doings, min_size=1, max_size=3), min_size=3, max_size=10))
async def test_counters_and_rows_agree_after_every_round(
    rounds: list[list[tuple[str, int, int]]], database: Databases
) -> None:
    async with open_shop_on(database, ManualClock(NOON - timedelta(days=3))) as shop:
        course = Course(
            shop=shop,
            stalls=await open_stalls(shop, rows=5),
            buyers=[shop.buyer() for _ in range(BUYERS)],
            held={},
            tickets={who: [] for who in range(BUYERS)},
        )
        for doings in rounds:
            # what stands in one round happens at the same time
            await asyncio.gather(*(course.take(*one) for one in doings))
            assert await faults_of_stock(shop) == []
