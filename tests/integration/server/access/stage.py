"""A served event whose doors are open, and everybody who may call: attendees, staff, outside systems, other services."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.app import run_server
from server.domain.access import Role, User
from server.domain.service_call import SignedCall, sign
from server.listening import bind
from server.services.publish import publish_event
from server.settings_access import AccessPlan
from shared.clock import ManualClock
from shared.codes.keys import KeyRing
from shared.ids import EventId, TenantId, TicketId, UserId
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.server.selling.client import Reply, Served
from tests.integration.server.selling.stage import RING, open_shop, plan_for, publication_for

SERVICE_SECRET = "4f8a1c0e9b7d2635a8c4e1f0b9d7362514"
ACCESS = AccessPlan(service_secret=Secret(SERVICE_SECRET))


class Door(Struct, frozen=True, kw_only=True, eq=False):
    """The served event, and its people."""

    served: Served
    ada: User

    @property
    def tenant(self) -> TenantId:
        """The event's organiser."""
        return self.served.shop.tenant

    @property
    def event(self) -> EventId:
        """The event."""
        return self.served.shop.event

    @property
    def clock(self) -> ManualClock:
        """The clock everything goes by."""
        return self.served.shop.clock

    def staff(self, role: Role = Role.DOOR_STAFF) -> User:
        """Return somebody of the organiser's."""
        return User(tenant=self.tenant, user=UserId(uuid4()), role=role)

    def stranger(self, role: Role = Role.ADMIN) -> User:
        """Return somebody of another organiser's."""
        return User(tenant=TenantId(uuid4()), user=UserId(uuid4()), role=role)

    def user(self, role: Role) -> User:
        """Return somebody of the same organiser's."""
        return User(tenant=self.ada.tenant, user=UserId(uuid4()), role=role)

    async def buy(self) -> TicketId:
        """Buy Ada a ticket."""
        (ticket,) = await self.served.shop.buy(self.ada)
        return ticket

    async def code(self, ticket: TicketId) -> str:
        """Return what Ada's phone shows now."""
        reply = await self.served.call("GET", f"/api/v1/tickets/{ticket}/qr", self.ada)
        assert reply.status == 200, reply.body
        return str(reply.json["qrData"])

    async def post(self, path: str, user: User | None, body: object, **headers: str) -> Reply:
        """Send a body."""
        return await self.served.call("POST", path, user, body, **headers)

    async def make_key(self, *scopes: str, **more: object) -> str:
        """Return a new API key."""
        body = {"name": "turnstiles", "scopes": list(scopes)} | more
        reply = await self.post("/api/v1/api-keys", self.staff(Role.ADMIN), body)
        assert reply.status == 201, reply.body
        return str(reply.json["key"])

    async def other_event(self) -> EventId:
        """Put another event of the same organiser on sale."""
        event = EventId(uuid4())
        publication = replace(publication_for(self.tenant, event), tenant_name="Harbour Nights")
        assert await publish_event(self.served.shop.context, publication)
        return event

    async def signed_as(self, signed_method: str, method: str, target: str) -> Reply:
        """Send a call that was signed as one of another method."""
        call = SignedCall(
            audience="tickettoken",
            caller="internal",
            time_s=int(self.clock.now().timestamp()),
            nonce=uuid4().hex,
            tenant=self.tenant,
            method=signed_method,
            target=target,
            body_hash=hashlib.sha256(b"").digest(),
        )
        return await self.served.call(method, target, None, None, **sign_headers(call, SERVICE_SECRET))

    async def signed(self, method: str, target: str, body: object = None, **changes: object) -> Reply:
        """Send a signed call; ``changes`` alter what is signed, ``sent_…`` what is sent instead."""
        sent = {name[5:]: str(value) for name, value in changes.items() if name.startswith("sent_")}
        secret = str(changes.pop("secret", SERVICE_SECRET))
        data = b"" if body is None else msgspec.json.encode(body)
        fields = {
            "audience": "tickettoken",
            "caller": "internal",
            "time_s": int(self.clock.now().timestamp()),
            "nonce": uuid4().hex,
            "tenant": self.tenant,
            "method": method,
            "target": target,
            "body_hash": hashlib.sha256(data).digest(),
        }
        fields |= {name: value for name, value in changes.items() if name in fields}
        call = SignedCall(**fields)  # type: ignore[arg-type] # each value is of its field's type
        headers = sign_headers(call, secret)
        headers |= {f"X_TT_{name.capitalize()}": value for name, value in sent.items() if name != "target"}
        extra = {str(name): str(value) for name, value in changes.items() if name == "Idempotency_Key"}
        return await self.served.call(method, sent.get("target", target), None, data or None, **headers, **extra)


def sign_headers(call: SignedCall, secret: str) -> dict[str, str]:
    """Return the headers of a signed call, names with underscores."""
    signature = sign(secret.encode(), call)
    return {
        "X_TT_Caller": call.caller,
        "X_TT_Time": str(call.time_s),
        "X_TT_Nonce": call.nonce,
        "X_TT_Tenant": str(call.tenant),
        "X_TT_Signature": signature.hex(),
    }


@asynccontextmanager
async def open_door(
    database: Databases, clock: ManualClock, access: AccessPlan = ACCESS, ring: KeyRing = RING
) -> AsyncIterator[Door]:
    """Run the whole server on a free port, with an event whose doors are open by the clock."""
    plan = replace(plan_for(database, clock), access=access, ring=ring)
    with bind("127.0.0.1", 0) as listener:
        async with (
            run_server(plan, listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            served = Served(running=running, shop=shop, session=session)
            yield Door(served=served, ada=shop.buyer("ada@example.org"))
