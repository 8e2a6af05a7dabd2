"""The served shop as its clients see it: HTTP and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

import aiohttp
import msgspec
from msgspec import Struct

from server.app import Running, run_server
from server.domain.access import User
from server.listening import bind
from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.selling.stage import Shop, fresh_key, open_shop, plan_for

Json = dict[str, object]


class Reply(Struct, frozen=True, kw_only=True):
    """An answer as received."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """Return the body as JSON."""
        return msgspec.json.decode(self.body, type=Json)

    @property
    def code(self) -> object:
        """Return the problem's code."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        return self.json["code"]


class Served(Struct, frozen=True, kw_only=True, eq=False):
    """A shop behind a real socket."""

    running: Running
    shop: Shop
    session: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, user: User | None = None, body: object = None, **headers: str
    ) -> Reply:
        """Send a request; header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if user is not None:
            sent.setdefault("Authorization", f"Bearer {self.running.parts.tokens.make(user)}")
        data = body if isinstance(body, bytes | BytesIO | None) else msgspec.json.encode(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(method, self.running.base_url + path, data=data, headers=sent) as response:
            names = {name: response.headers[name] for name in response.headers}
            return Reply(status=response.status, headers=names, body=await response.read())

    async def until_ready(self) -> None:
        """Return once every part of the server is up; the relay connects beside the first requests."""
        async with asyncio.timeout(20):
            while (await self.call("GET", "/health/ready")).status != 200:
                pass

    async def until_down(self) -> Reply:
        """Return what the server says of itself once it is out of service; what was seen counts for a second."""
        async with asyncio.timeout(20):
            while (reply := await self.call("GET", "/health/ready")).status == 200:
                pass
        return reply

    async def buy(self, user: User, quantity: int = 1) -> list[str]:
        """Reserve and pay over HTTP; return the tickets' ids."""
        order = {
            "eventId": str(self.shop.event),
            "tickets": [{"ticketTypeId": str(self.shop.standing), "quantity": quantity}],
        }
        held = await self.call("POST", "/api/v1/tickets/reserve", user, order, Idempotency_Key=fresh_key())
        assert held.status == 201, held.body
        paid = {
            "reservationId": held.json["reservationId"],
            "paymentId": f"demo_{held.json['totalCents']}_EUR_{fresh_key()}",
        }
        bought = await self.call("POST", "/api/v1/tickets/purchase", user, paid, Idempotency_Key=fresh_key())
        assert bought.status == 200, bought.body
        return [str(one["ticketId"]) for one in msgspec.convert(bought.json["tickets"], list[dict[str, str]])]


@asynccontextmanager
async def serve_shop(database: Databases, clock: ManualClock) -> AsyncIterator[Served]:
    """Run the whole server on a free port, with a shop in it."""
    with bind("127.0.0.1", 0) as listener:
        async with (
            run_server(plan_for(database, clock), listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            yield Served(running=running, shop=shop, session=session)
