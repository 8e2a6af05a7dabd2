"""What was given up is seen and tried again by its organiser over HTTP, and by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from server.domain.access import Role, User
from server.domain.nft import NftMode
from shared.clock import ManualClock
from shared.ids import TenantId, TicketId, UserId
from tests.conftest import Databases
from tests.integration.server.selling.client import Json, Served, serve_shop

MANAGER = UserId(UUID(int=7))


@pytest.fixture
async def served(database: Databases, clock: ManualClock) -> AsyncIterator[Served]:
    """Give a shop behind a socket whose event wants assets; no worker is there to make them."""
    async with serve_shop(database, clock) as opened:
        async with opened.shop.context.db.tenant(opened.shop.tenant) as tx:
            event = await opened.shop.event_row()
            await tx.organising.change_event(replace(event, nft=NftMode.MIRROR), tell_gates=False)
        yield opened


def manager(served: Served, role: Role = Role.VENUE_MANAGER) -> User:
    """Return somebody of the organiser's."""
    return User(tenant=served.shop.tenant, user=MANAGER, role=role)


async def give_up(served: Served, tickets: list[TicketId]) -> None:
    """Have assets given up, as a worker does after a fault of its own."""
    async with served.shop.parts.database.worker() as unit:
        await unit.mints._connection.execute(
            "UPDATE nft_assets SET state = 'dead', problem = 'refused_6007', tries = 2 WHERE ticket_id = ANY ($1)",
            tickets,
        )


async def given_up(served: Served) -> dict[str, Json]:
    """Return what the organiser sees of it, by ticket."""
    answer = await served.call("GET", f"/api/v1/events/{served.shop.event}/nfts/given-up", manager(served))
    assert answer.status == 200, answer.body
    items = answer.json["items"]
    assert isinstance(items, list)
    return {str(one["ticketId"]): one for one in items}


async def test_an_organiser_sees_what_was_given_up_and_has_it_tried_again(served: Served) -> None:
    retry = f"/api/v1/events/{served.shop.event}/nfts/retry"
    first, second, third = await served.shop.buy(served.shop.buyer(), 3)
    assert await given_up(served) == {}
    await give_up(served, [first, second])
    seen = await given_up(served)
    assert seen[str(first)] == {"ticketId": str(first), "action": "mint", "problem": "refused_6007", "tries": 2}
    assert seen.keys() == {str(first), str(second)}
    one = await served.call("POST", retry, manager(served), {"tickets": [str(first), str(third)]})
    assert (one.status, one.json) == (200, {"queued": 1})
    assert (await given_up(served)).keys() == {str(second)}
    rest = await served.call("POST", retry, manager(served), {})
    assert (rest.status, rest.json) == (200, {"queued": 1})
    async with served.shop.parts.database.worker() as unit:
        due = await unit.mints.due(served.shop.clock.now(), 10)
    assert {one.ticket for one in due} == {first, second, third}


async def test_nobody_else_sees_or_does_it(served: Served) -> None:
    path = f"/api/v1/events/{served.shop.event}/nfts"
    (ticket,) = await served.shop.buy(served.shop.buyer(), 1)
    await give_up(served, [ticket])
    stranger = User(tenant=TenantId(uuid4()), user=MANAGER, role=Role.ADMIN)
    for method, end, body in (("GET", "/given-up", None), ("POST", "/retry", {})):
        assert (await served.call(method, path + end, None, body)).status == 401
        assert (await served.call(method, path + end, manager(served, Role.BOX_OFFICE), body)).code == "scope_missing"
        assert (await served.call(method, path + end, stranger, body)).code == "event_not_found"
    assert (await given_up(served)).keys() == {str(ticket)}


@pytest.mark.parametrize("body", [{"tickets": []}, {"tickets": ["first"]}, {"all": True}, b"{"])
async def test_a_request_that_makes_no_sense_changes_nothing(body: object, served: Served) -> None:
    answer = await served.call("POST", f"/api/v1/events/{served.shop.event}/nfts/retry", manager(served), body)
    assert answer.code == "request_invalid"
