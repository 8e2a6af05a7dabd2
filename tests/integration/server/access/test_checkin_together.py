"""Check-ins that wait for each other are written down together, and none of them has to pay for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from msgspec.structs import replace

from server.db.pool import open_database
from server.db.publisher_session import open_publisher_session
from server.domain.access import Role
from server.domain.server_gate import server_gate_id, server_log_id
from server.services.checkin import CheckedIn, CheckinDesk, CheckinRequest
from server.services.correlation import correlating
from server.services.event_requests import PolicyChanges
from server.services.events import change_policy, read_event
from server.services.ports import Database, Unit
from server.services.problems import TicketUnknown
from server.services.problems_access import AlreadyCheckedIn, GateElsewhere
from shared.admission.policy import AreaLimit
from shared.clock import ManualClock
from shared.ids import GateId, TenantId, TicketId
from shared.problems import Internal
from shared.sync.scan import GENESIS, extend_chain
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.access.stage import Door, open_door
from tests.integration.server.messages.post import waiting

PATIENCE_S = 60


class OneDoor:
    """A database that counts its transactions, lets them wait, and can have the next one fail."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.opened = 0
        self.asked = asyncio.Event()
        self.free = asyncio.Event()
        self.fails = False

    @asynccontextmanager
    async def tenant(self, tenant: TenantId) -> AsyncIterator[Unit]:
        """Open a transaction once whoever holds the door lets go of it."""
        self.opened += 1
        self.asked.set()
        await self.free.wait()
        async with self._database.tenant(tenant) as tx:
            yield tx
            if self.fails:
                self.fails = False
                raise Internal("Something that nobody thought of.")


def desk_of(door: Door) -> tuple[CheckinDesk, OneDoor]:
    """Return a desk of the event whose transactions wait until they are let go."""
    context = door.served.shop.context
    held = OneDoor(context.db)
    return CheckinDesk(replace(context, db=held)), held


async def come(
    door: Door, desk: CheckinDesk, held: OneDoor, asked: list[tuple[TicketId, CheckinRequest]]
) -> list[object]:
    """Let the first one in alone, the others while that one is at the door, and return what came of each."""
    staff = door.staff()
    async with asyncio.timeout(PATIENCE_S):
        tasks = [asyncio.create_task(desk.check_in(staff, *asked[0]))]
        await held.asked.wait()
        tasks += [asyncio.create_task(desk.check_in(staff, *one)) for one in asked[1:]]
        await asyncio.wait(tasks, timeout=0)  # each has begun, and waits
        held.free.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))


async def shown(door: Door, ticket: TicketId) -> tuple[TicketId, CheckinRequest]:
    """Return a check-in with the ticket's code."""
    return ticket, CheckinRequest(code=await door.code(ticket))


async def test_whoever_waits_is_written_down_together_and_numbered_without_a_gap(door: Door) -> None:
    tickets = [await door.buy() for _ in range(9)]
    desk, held = desk_of(door)
    ended = await come(door, desk, held, [await shown(door, one) for one in tickets])
    assert [one.admitted and one.status for one in ended if isinstance(one, CheckedIn)] == [State.CHECKED_IN] * 9
    assert [one.ticket_id for one in ended if isinstance(one, CheckedIn)] == tickets
    assert held.opened == 2
    gate, incarnation = server_gate_id(door.event), server_log_id(door.event)
    async with door.served.shop.context.db.tenant(door.tenant) as tx:
        log = await tx.scans.lock_log(gate, incarnation)
        rows = {one.gate_seq: one for one in await tx.scans.list_of_event(door.event, None, 100)}
    assert sorted(rows) == list(range(1, 10))
    chain = GENESIS
    for number in range(1, 10):
        chain = extend_chain(chain, rows[number].body)
        assert rows[number].chain == chain
    assert (log.acked, log.chain) == (9, chain)
    assert all(row.proven and row.server_reason == "ok" for row in rows.values())


async def test_what_is_wrong_with_one_is_told_to_that_one_alone(door: Door) -> None:
    good, other, twice = [await door.buy() for _ in range(3)]
    desk, held = desk_of(door)
    code = await door.code(good)
    asked = [
        await shown(door, twice),
        (TicketId(uuid4()), CheckinRequest(code=code)),
        (other, CheckinRequest(code=code)),
        await shown(door, twice),
        (good, CheckinRequest(code=code, gate_id=GateId(uuid4()))),
        (good, CheckinRequest(code=code)),
        (other, CheckinRequest(code="https://example.org/menu")),
    ]
    first, unknown, mismatch, again, elsewhere, let_in, unreadable = await come(door, desk, held, asked)
    assert isinstance(first, CheckedIn)
    assert first.admitted
    assert isinstance(unknown, TicketUnknown)
    assert isinstance(mismatch, CheckedIn)
    assert (mismatch.admitted, mismatch.reason, mismatch.scan_id) == (False, "ticket_mismatch", None)
    assert isinstance(again, AlreadyCheckedIn)
    assert isinstance(elsewhere, GateElsewhere)
    assert isinstance(let_in, CheckedIn)
    assert (let_in.admitted, let_in.ticket_id) == (True, good)
    assert isinstance(unreadable, CheckedIn)
    assert (unreadable.admitted, unreadable.reason) == (False, "code_unreadable")
    assert (await door.served.shop.ticket(other)).state is State.ACTIVE


async def test_where_together_fails_each_is_checked_in_alone(door: Door) -> None:
    tickets = [await door.buy() for _ in range(3)]
    desk, held = desk_of(door)
    asked = [await shown(door, one) for one in tickets]
    staff = door.staff()
    held.free.set()
    async with asyncio.timeout(PATIENCE_S):
        held.fails = True
        ended = await asyncio.gather(*(desk.check_in(staff, *one) for one in asked))
    assert [one.admitted for one in ended] == [True] * 3
    assert held.opened == 4
    async with door.served.shop.context.db.tenant(door.tenant) as tx:
        rows = await tx.scans.list_of_event(door.event, None, 100)
    assert sorted(one.gate_seq for one in rows) == [1, 2, 3]


async def test_the_last_place_is_given_once_among_those_who_come_together(door: Door) -> None:
    organiser, context = door.staff(Role.VENUE_MANAGER), door.served.shop.context
    area = AreaLimit(gates=(server_gate_id(door.event),), capacity=2)
    event = await read_event(context, organiser, door.event)
    await change_policy(context, organiser, door.event, PolicyChanges(version=event.version, area_limits=(area,)))
    desk, held = desk_of(door)
    ended = await come(door, desk, held, [await shown(door, await door.buy()) for _ in range(5)])
    reasons = sorted(one.reason for one in ended if isinstance(one, CheckedIn))
    assert reasons == ["capacity_full"] * 3 + ["ok"] * 2
    assert held.opened == 2


async def test_who_went_away_before_their_turn_is_not_checked_in(door: Door) -> None:
    tickets = [await door.buy() for _ in range(2)]
    first, second = [await shown(door, one) for one in tickets]
    desk, held = desk_of(door)
    staff = door.staff()
    async with asyncio.timeout(PATIENCE_S):
        stays = asyncio.create_task(desk.check_in(staff, *first))
        await held.asked.wait()
        goes = asyncio.create_task(desk.check_in(staff, *second))
        await asyncio.wait([goes], timeout=0)
        goes.cancel()
        await asyncio.wait([goes])
        held.free.set()
        assert (await stays).admitted
    assert (await door.served.shop.ticket(tickets[1])).state is State.ACTIVE


async def test_each_admission_is_told_under_the_trace_of_its_own_call(database: Databases, clock: ManualClock) -> None:
    async with (
        open_database(database.app_dsn, database.worker_dsn) as beside,
        open_publisher_session(beside) as session,
    ):
        assert await session.lead()
        async with open_door(database, clock) as door:
            tickets = [await door.buy() for _ in range(4)]
            asked = [await shown(door, one) for one in tickets]
            desk, held = desk_of(door)
            held.free.set()

            async def one(number: int) -> None:
                with correlating(f"{number:032x}"):
                    await desk.check_in(door.staff(), *asked[number])

            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*(one(number) for number in range(4)))
            told = [one for one in await waiting(beside) if one.key == "ticket.checked_in"]
    assert {one.subject: one.correlation_id for one in told} == {
        ticket: f"{number:032x}" for number, ticket in enumerate(tickets)
    }
    assert held.opened == 1


async def test_two_servers_let_everybody_in_once_and_never_wait_in_a_circle(door: Door) -> None:
    tickets = [await door.buy() for _ in range(12)]
    asked = [await shown(door, one) for one in tickets]
    context, staff = door.served.shop.context, door.staff()
    desks = [CheckinDesk(context) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_S):
        tries = [
            desk.check_in(staff, *one) for desk, order in zip(desks, (asked, asked[::-1]), strict=True) for one in order
        ]
        ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["AlreadyCheckedIn"] * 12 + ["CheckedIn"] * 12
    assert {one.ticket_id for one in ended if isinstance(one, CheckedIn) and one.admitted} == set(tickets)
    async with context.db.tenant(door.tenant) as tx:
        rows = await tx.scans.list_of_event(door.event, None, 100)
    assert sorted(one.gate_seq for one in rows) == list(range(1, 25))
