"""A fact can be traced back to the request that made it true."""

from __future__ import annotations

from server.db.pool import open_database
from server.db.publisher_session import open_publisher_session
from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.messages.post import waiting
from tests.integration.server.selling.client import serve_shop
from tests.integration.server.selling.stage import fresh_key

TRACE = "0123456789abcdef0123456789abcdef"


async def test_a_fact_bears_the_trace_of_the_request_that_made_it_true(database: Databases, clock: ManualClock) -> None:
    async with (
        open_database(database.app_dsn, database.worker_dsn) as beside,
        open_publisher_session(beside) as session,
    ):
        # While this one leads, the server's own publisher stands by and the fact can be looked at.
        assert await session.lead()
        async with serve_shop(database, clock) as served:
            shop = served.shop
            order = {"eventId": str(shop.event), "tickets": [{"ticketTypeId": str(shop.standing), "quantity": 1}]}
            parent = f"00-{TRACE}-0123456789abcdef-01"
            path, key = "/api/v1/tickets/reserve", fresh_key()
            held = await served.call("POST", path, shop.buyer(), order, Idempotency_Key=key, traceparent=parent)
            assert held.status == 201, held.body
            (told,) = await waiting(beside)
    assert (told.key, told.correlation_id) == ("ticket.reserved", TRACE)
