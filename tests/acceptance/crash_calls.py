"""The calls during which servers are killed: how each is prepared, made, and what it must have done in the end."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.auth.user_token import UserTokens
from server.domain.access import Role, User
from shared.ids import UserId
from tests.acceptance.overselling_crowd import Offer

PATIENCE = aiohttp.ClientTimeout(total=30)
Json = dict[str, object]


class Answer(Struct, frozen=True, kw_only=True):
    """What came back."""

    status: int
    body: bytes
    replayed: bool

    @property
    def json(self) -> Json:
        """Return the body as JSON."""
        return msgspec.json.decode(self.body, type=Json)


class Call(Struct, frozen=True, kw_only=True):
    """One call as it is made and repeated.

    ``effect`` is a query that must find exactly one row once it is done; ``once`` says that its answer is kept under a key.
    """

    path: str
    headers: dict[str, str]
    body: Json | None
    status: int
    effect: str
    subject: str
    once: bool = True

    async def send(self, base_url: str) -> Answer | None:
        """Return the answer, None if the server died over it."""
        try:
            async with (
                aiohttp.ClientSession(base_url, timeout=PATIENCE) as session,
                session.post(self.path, json=self.body, headers=self.headers) as answer,
            ):
                replayed = answer.headers.get("Idempotency-Replayed") == "true"
                return Answer(status=answer.status, body=await answer.read(), replayed=replayed)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError):
            return None


class Customers(Struct, frozen=True, kw_only=True):
    """People who buy from one offer, each call as somebody new."""

    tokens: UserTokens
    offer: Offer

    def headers(self, user: User) -> dict[str, str]:
        """Return what somebody sends with a new call."""
        return {"Authorization": f"Bearer {self.tokens.make(user)}", "Idempotency-Key": os.urandom(16).hex()}

    def somebody(self, email: str | None = None) -> User:
        """Return somebody new."""
        return User(tenant=self.offer.tenant, user=UserId(uuid4()), role=Role.CUSTOMER, email=email)

    async def reserving(self, _: str) -> Call:
        """Prepare a reservation of three places of two types."""
        user = self.somebody()
        lines = [{"ticketTypeId": str(one), "quantity": number} for number, one in enumerate(self.offer.types[:2], 1)]
        return Call(
            path="/api/v1/tickets/reserve",
            headers=self.headers(user),
            body={"eventId": str(self.offer.event), "tickets": lines},
            status=201,
            effect="SELECT id FROM reservations WHERE user_id = $1::text::uuid AND state = 'pending'",
            subject=str(user.user),
        )

    async def purchasing(self, base_url: str, user: User | None = None) -> Call:
        """Prepare a purchase of what somebody holds."""
        buyer = user or self.somebody()
        wish = replace(await self.reserving(base_url), headers=self.headers(buyer))
        held = await done(wish, base_url)
        paid: Json = {
            "reservationId": held["reservationId"],
            "paymentId": f"demo_{held['totalCents']}_{held['currency']}_{os.urandom(8).hex()}",
        }
        return Call(
            path="/api/v1/tickets/purchase",
            headers=self.headers(buyer),
            body=paid,
            status=200,
            effect="SELECT id FROM orders WHERE reservation_id = $1::text::uuid",
            subject=str(held["reservationId"]),
        )

    async def offering(self, base_url: str, email: str | None = None) -> Call:
        """Prepare the offer of a ticket."""
        owner = self.somebody()
        order = await done(await self.purchasing(base_url, owner), base_url)
        ticket = msgspec.convert(order["tickets"], list[dict[str, str]])[0]["ticketId"]
        return Call(
            path=f"/api/v1/tickets/{ticket}/transfer",
            headers=self.headers(owner),
            body={"recipientEmail": email or "friend@example.org"},
            status=201,
            effect="SELECT id FROM transfers WHERE ticket_id = $1::text::uuid AND state = 'pending'",
            subject=ticket,
        )

    async def accepting(self, base_url: str) -> Call:
        """Prepare the acceptance of an offer."""
        email = f"{uuid4().hex}@example.org"
        offered = await done(await self.offering(base_url, email), base_url)
        return Call(
            path=f"/api/v1/transfers/{offered['transferId']}/accept",
            headers=self.headers(self.somebody(email)),
            body=None,
            status=200,
            effect="SELECT version FROM ticket_history WHERE ticket_id = $1::text::uuid AND to_state = 'transferred'",
            subject=str(offered["ticketId"]),
            once=False,
        )

    async def refunding(self, base_url: str) -> Call:
        """Prepare the refund of a ticket."""
        owner = self.somebody()
        order = await done(await self.purchasing(base_url, owner), base_url)
        ticket = msgspec.convert(order["tickets"], list[dict[str, str]])[0]["ticketId"]
        return Call(
            path=f"/api/v1/tickets/{ticket}/refund",
            headers=self.headers(owner),
            body={},
            status=200,
            effect="SELECT version FROM ticket_history WHERE ticket_id = $1::text::uuid AND to_state = 'refunded'",
            subject=ticket,
        )


Prepare = Callable[[Customers, str], Awaitable[Call]]

CALLS: dict[str, Prepare] = {
    "reserve": Customers.reserving,
    "purchase": Customers.purchasing,
    "transfer": Customers.offering,
    "accept": Customers.accepting,
    "refund": Customers.refunding,
}


async def done(call: Call, base_url: str) -> Json:
    """Make a call that must succeed and return its answer."""
    answer = await call.send(base_url)
    assert answer is not None, "the server died"
    assert answer.status == call.status, answer.body
    return answer.json
