"""A served hall with two organisers, each with something under every kind of id, for calls from every side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from server.app import run_server
from server.domain.access import Role, User
from server.domain.limits import LimitClass
from server.listening import bind
from server.settings_access import AccessPlan
from shared.clock import ManualClock
from shared.ids import UserId
from tests.conftest import Databases
from tests.integration.server.contract.proofs import Secrets, bearer, prove_gate, prove_service
from tests.integration.server.contract.stocking import fill_side
from tests.integration.server.selling.client import Reply, Served
from tests.integration.server.selling.stage import Shop, open_shop, plan_for

ROLES = {
    "door": Role.DOOR_STAFF,
    "office": Role.BOX_OFFICE,
    "manager": Role.VENUE_MANAGER,
    "admin": Role.ADMIN,
}


class Side(Struct, frozen=True, kw_only=True, eq=False):
    """One organiser's part: ``places`` has an id of theirs for every place in a path, the rest is whose."""

    shop: Shop
    owner: User
    friend: User
    places: dict[str, str]
    secrets: Secrets


class Hall(Struct, frozen=True, kw_only=True, eq=False):
    """The server, and both sides."""

    served: Served
    home: Side
    away: Side

    def prove(self, caller: str, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        """Return what a caller of this kind of the home side brings to this very call; a stranger brings nothing."""
        side = self.home
        if caller == "stranger":
            return {}
        if caller == "gate":
            return bearer(prove_gate(side.shop, side.secrets))
        if caller == "key":
            return bearer(side.secrets.api_key)
        if caller == "service":
            return prove_service(side.shop, side.secrets, (method, target, body))
        tokens = self.served.running.parts.tokens
        known = {"attendee": side.owner, "friend": side.friend}
        return bearer(tokens.make(known.get(caller) or staff(side.shop, ROLES[caller])))

    async def send(self, method: str, path: str, headers: dict[str, str], body: object = None) -> Reply:
        """Send a call and return what came back."""
        sent = {name.replace("-", "_"): value for name, value in headers.items()}
        return await self.served.call(method, path, None, body, **sent)


def staff(shop: Shop, role: Role) -> User:
    """Return somebody who works for an organiser."""
    return User(tenant=shop.tenant, user=UserId(uuid4()), role=role)


@asynccontextmanager
async def open_hall(database: Databases, clock: ManualClock) -> AsyncIterator[Hall]:
    """Serve two organisers without limits and fill both sides."""
    plan = replace(plan_for(database, clock), access=AccessPlan(quotas=dict.fromkeys(LimitClass)))
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(bind("127.0.0.1", 0))
        running = await stack.enter_async_context(run_server(plan, listener))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        shops = [await stack.enter_async_context(open_shop(running.parts, clock)) for _ in range(2)]
        home, away = [Served(running=running, shop=shop, session=session) for shop in shops]
        yield Hall(served=home, home=await open_side(home), away=await open_side(away))


async def open_side(served: Served) -> Side:
    """Give one organiser something under every kind of id."""
    owner, friend = served.shop.buyer("owner@example.org"), served.shop.buyer("friend@example.org")
    key = Ed25519PrivateKey.generate()
    admin = staff(served.shop, Role.ADMIN)
    places = await fill_side(served, owner, admin, key)
    secrets = Secrets(gate_key=key, api_key=places.pop("api_key"), service=places.pop("service"), gate=places["gate"])
    return Side(shop=served.shop, owner=owner, friend=friend, places=places, secrets=secrets)
