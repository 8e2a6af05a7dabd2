"""The tour's attendees and organisers as REST clients: they buy, fetch wallets, transfer and look at figures."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import aiohttp
import msgspec
from msgspec import Struct

from server.demo.phones import Phone, WalletCapsule
from shared.problems import TicketTokenError, Unavailable

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_BUYERS_AT_ONCE = 8
_PER_ORDER = 10

Json = dict[str, object]


class Buyer(Struct, frozen=True, kw_only=True):
    """An account and its token."""

    user: UUID
    email: str
    token: str

    def __repr__(self) -> str:
        """Keep the token and the address out of logs."""
        return f"Buyer(user={self.user})"


class _Capsule(Struct, frozen=True, kw_only=True):
    epoch: int
    starts: datetime = msgspec.field(name="from")
    ends: datetime = msgspec.field(name="to")
    capsule: str
    context: str


class _Wallet(Struct, frozen=True, kw_only=True, rename="camel"):
    ticket_id: str
    seed: str
    slot_seconds: int
    capsules: tuple[_Capsule, ...]


class BoxOffice:
    """Calls the server as its clients do."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession) -> None:
        self._base_url = base_url
        self._session = session

    async def buy(self, buyer: Buyer, event: UUID, ticket_type: UUID, quantity: int) -> list[str]:
        """Reserve and pay; return the tickets' ids."""
        order: Json = {"eventId": str(event), "tickets": [{"ticketTypeId": str(ticket_type), "quantity": quantity}]}
        held = await self.call("POST", "/api/v1/tickets/reserve", buyer.token, order)
        payment = f"demo_{held['totalCents']}_{held['currency']}_{secrets.token_hex(8)}"
        paid: Json = {"reservationId": held["reservationId"], "paymentId": payment}
        bought = await self.call("POST", "/api/v1/tickets/purchase", buyer.token, paid)
        tickets = msgspec.convert(bought["tickets"], list[dict[str, str]])
        return [ticket["ticketId"] for ticket in tickets]

    async def sell_out(
        self, new_buyer: Callable[[], Buyer], event: UUID, stock: dict[UUID, int], sold: Callable[[int], None]
    ) -> list[tuple[Buyer, str]]:
        """Sell the whole stock to buyers who come several at a time; return who owns which ticket."""
        orders = [
            (ticket_type, min(_PER_ORDER, places - start))
            for ticket_type, places in stock.items()
            for start in range(0, places, _PER_ORDER)
        ]
        owned: list[tuple[Buyer, str]] = []
        waiting = iter(orders)

        async def one_till() -> None:
            for ticket_type, quantity in waiting:
                buyer = new_buyer()
                tickets = await self.buy(buyer, event, ticket_type, quantity)
                owned.extend((buyer, ticket) for ticket in tickets)
                sold(quantity)

        try:
            async with asyncio.TaskGroup() as tills:
                for _ in range(_BUYERS_AT_ONCE):
                    tills.create_task(one_till())
        except ExceptionGroup as group:
            if isinstance(group.exceptions[0], TicketTokenError):
                raise group.exceptions[0] from group  # one till's problem is the story's problem
            raise
        return owned

    async def fetch_wallet(self, buyer: Buyer, ticket: str) -> Phone:
        """Return the phone of somebody who opened their ticket once."""
        answer = await self.call("GET", f"/api/v1/tickets/{ticket}/wallet", buyer.token)
        wallet = msgspec.convert(answer, _Wallet)
        capsules = tuple(
            WalletCapsule(
                epoch=item.epoch, starts=item.starts, ends=item.ends, capsule=item.capsule, context=item.context
            )
            for item in wallet.capsules
        )
        return Phone(ticket=ticket, seed=wallet.seed, slot_s=wallet.slot_seconds, capsules=capsules)

    async def transfer(self, sender: Buyer, ticket: str, recipient: Buyer) -> None:
        """Hand a ticket over; the recipient accepts."""
        offer = await self.call(
            "POST", f"/api/v1/tickets/{ticket}/transfer", sender.token, {"recipientEmail": recipient.email}
        )
        await self.call("POST", f"/api/v1/transfers/{offer['transferId']}/accept", recipient.token)

    async def enrolment_code(self, organiser_token: str, event: UUID, name: str) -> str:
        """Return a one-time code for a new gate."""
        answer = await self.call(
            "POST", f"/api/v1/events/{event}/gates/enrolment-codes", organiser_token, {"name": name}
        )
        return str(answer["code"])

    async def call(self, method: str, path: str, token: str, body: Json | None = None) -> Json:
        """Return the JSON answer of a call that must succeed.

        Raises:
            Unavailable: the server answered with a problem.
        """
        status, answer = await self.ask(method, path, token, body)
        if status >= 400:
            raise Unavailable(f"{method} {path} answered {status}: {answer.get('code')} {answer.get('detail')}")
        return answer

    async def ask(self, method: str, path: str, token: str, body: Json | None = None) -> tuple[int, Json]:
        """Return status and JSON answer of a call, whatever it is."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(16)}
        async with self._session.request(
            method, self._base_url + path, json=body, headers=headers, timeout=_TIMEOUT
        ) as response:
            return response.status, msgspec.json.decode(await response.read(), type=Json)
