"""An organiser who shapes events over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid4

import msgspec

from server.domain.access import Role, User
from server.services.chores import do_chores
from server.services.payments import Payment, PaymentState
from server.services.purchase import PurchaseRequest, purchase
from shared.ids import ReservationId, TenantId, TicketId, UserId
from shared.sync.feed import FeedEntry
from tests.integration.server.doors.house import House
from tests.integration.server.doors.stage import EVENING

Json = dict[str, object]
PATIENCE_S = 60.0


class Till:
    """A payment provider that took one payment: a second implementation of the port."""

    def __init__(self, reference: str, amount_cents: int) -> None:
        self._payment = Payment(id=reference, amount_cents=amount_cents, currency="EUR", state=PaymentState.COMPLETED)

    async def fetch(self, tenant: TenantId, payment_id: str) -> Payment | None:
        """Return the payment if it is the one asked for."""
        assert tenant.version == 4
        return self._payment if payment_id == self._payment.id else None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A page, and by what the next one is asked for."""

    items: list[Json]
    cursor: str | None


class Office:
    """Calls as one person; every answer is its status and its JSON."""

    def __init__(self, house: House, role: Role = Role.VENUE_MANAGER) -> None:
        self.house = house
        self.user = User(tenant=house.stage.tenant, user=UserId(uuid4()), role=role)
        self.event = house.stage.event

    def headers(self) -> dict[str, str]:
        """Return the proof of who is calling."""
        return {"Authorization": f"Bearer {self.house.parts.tokens.make(self.user)}"}

    async def call(self, method: str, path: str, body: object = None, *, key: str | None = None) -> tuple[int, Json]:
        """Return status and JSON answer; a call that makes something gets a key of its own unless it is given one."""
        own = uuid4().hex if method == "POST" else None
        headers = self.headers() | ({} if (key or own) is None else {"Idempotency-Key": str(key or own)})
        status, answer = await self.house.ask(method, "/api/v1" + path, headers, body)
        assert isinstance(answer, dict)
        return status, answer

    async def made(self, method: str, path: str, body: object = None, *, key: str | None = None) -> Json:
        """Return the answer of a call that must succeed."""
        status, answer = await self.call(method, path, body, key=key)
        assert status in {200, 201, 202}, answer
        return answer

    async def refused(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> tuple[int, object]:
        """Return status and code of a call that must fail."""
        status, answer = await self.call(method, path, body, key=key)
        assert status >= 400, answer
        return status, answer["code"]

    async def draft(self, **changes: object) -> Json:
        """Make an event."""
        return await self.made("POST", "/events", draft_body() | changes)

    async def draft_with_type(self, **changes: object) -> tuple[str, Json]:
        """Make an event that sells something; return its id and the ticket type."""
        event = await self.draft()
        path = f"/events/{event['id']}/ticket-types"
        return str(event["id"]), await self.made("POST", path, type_body() | changes)

    async def issue(self, event: object, ticket_type: object, count: int = 1, **line: object) -> list[TicketId]:
        """Issue tickets."""
        body = {"reason": "guest list", "tickets": [{"ticketTypeId": ticket_type, **line}] * count}
        answer = await self.made("POST", f"/events/{event}/tickets/issue", body, key=uuid4().hex)
        return [TicketId(one.ticket_id) for one in msgspec.convert(answer["tickets"], list[_Issued])]

    async def buy(self, buyer: Office, held: Json) -> None:
        """Pay for what a buyer holds with a payment that the payment service told of."""
        reference = f"till-{uuid4().hex}"
        paid = PurchaseRequest(reservation_id=ReservationId(UUID(str(held["reservationId"]))), payment_id=reference)
        till = Till(reference, int(str(held["totalCents"])))
        await purchase(self.house.parts.context, till, buyer.user, uuid4().hex, paid)

    async def send_file(self, event: object, data: bytes, media: str = "text/csv") -> tuple[int, Json]:
        """Send a file of tickets."""
        address = f"{self.house.base_url}/api/v1/events/{event}/tickets/import"
        headers = self.headers() | {"Content-Type": media}
        async with self.house.client.post(address, data=BytesIO(data), headers=headers) as response:
            answer = msgspec.json.decode(await response.read(), type=Json)
            return response.status, answer

    async def settled(self, path: str) -> Json:
        """Return what an address says once the work it tells of is over; what waits is done here as well."""
        async with asyncio.timeout(PATIENCE_S):
            while await self._is_busy():
                await do_chores(self.house.parts.context, self.house.parts.database)
        return await self.made("GET", path)

    async def _is_busy(self) -> bool:
        async with self.house.parts.database.worker() as unit:
            endings = await unit.maintenance.running_endings(1)
            imports = await unit.maintenance.waiting_imports(1, self.house.stage.clock.now())
        return bool(endings or imports)

    async def page(self, path: str) -> Listing:
        """Return one page of a list."""
        answer = await self.made("GET", path)
        pagination = answer["pagination"]
        assert isinstance(pagination, dict)
        assert pagination["hasMore"] == (pagination["nextCursor"] is not None)
        return Listing(items=msgspec.convert(answer["items"], list[Json]), cursor=pagination["nextCursor"])

    async def told(self, wanted: Callable[[FeedEntry], bool]) -> FeedEntry:
        """Return the last thing of a kind that gates are told, once the relay has told it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [one for one in await self.house.stage.feed() if wanted(one)]
                if found:
                    return found[-1]


class _Issued(msgspec.Struct, rename="camel"):
    ticket_id: TicketId


def draft_body() -> Json:
    """Return what an event next month looks like."""
    return {
        "name": "Summer Closing",
        "venueName": "Pier Hall",
        "doorsAt": moment(days=30),
        "startsAt": moment(days=30, hours=2),
        "endsAt": moment(days=30, hours=6),
        "saleStartsAt": moment(days=-1),
        "saleEndsAt": moment(days=30, hours=6),
    }


def type_body() -> Json:
    """Return what a ticket type looks like."""
    return {"name": "Standing", "priceCents": 4500, "currency": "EUR", "total": 100}


def moment(**ahead: float) -> str:
    """Return a moment counted from the evening on which tests play."""
    found: datetime = EVENING + timedelta(**ahead)
    return found.isoformat()


async def event_of(office: Office, event: object) -> Json:
    """Return an event as its organiser sees it."""
    return await office.made("GET", f"/organiser/events/{event}")


async def ticket_of(office: Office, ticket: object) -> Json:
    """Return a ticket as its organiser sees it."""
    return await office.made("GET", f"/organiser/tickets/{ticket}")
