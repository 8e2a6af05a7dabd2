"""A shop that is open: an event with ticket types, buyers, and a clock moved by hand."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import Role, User
from server.parts import Parts, ServerPlan, open_parts
from server.services.context import Context
from server.services.idempotency import Answer
from server.services.payments import Payment, PaymentState
from server.services.publish import OfferedType, Publication, publish_event
from server.services.purchase import Purchased, PurchaseRequest, purchase
from server.services.reservation_view import Reserved
from server.services.reserve import ReserveRequest, WishedLine, reserve
from server.services.rows import EventRow, TicketRow, TicketTypeRow
from server.settings import Payments
from shared.admission.policy import Policy, Window
from shared.clock import ManualClock
from shared.codes.keys import KeyRing
from shared.codes.reader import CodeReader
from shared.ids import EventId, TenantId, TicketId, TicketTypeId, UserId, VenueId
from shared.settings import Secret
from shared.sync.feed import FeedEntry
from tests.conftest import Databases

NOON = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
DOORS = datetime(2026, 6, 20, 17, 0, tzinfo=UTC)
STARTS = datetime(2026, 6, 20, 19, 0, tzinfo=UTC)
ENDS = datetime(2026, 6, 21, 2, 0, tzinfo=UTC)
JWT_SECRET = Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-")
RING = KeyRing({"k1": bytes(range(32))})

TOLD = """
SELECT body FROM (SELECT 1, seq, body FROM feed UNION ALL SELECT 2, id, body FROM outbox) AS told (part, n, body)
ORDER BY part, n
"""

_numbers = itertools.count(1)


class Till:
    """A payment provider that knows what it was told: a second implementation of the port."""

    def __init__(self) -> None:
        self.payments: dict[str, Payment] = {}
        self.asked = 0

    async def fetch(self, _: TenantId, payment_id: str, /) -> Payment | None:
        """Return a payment that was taken."""
        self.asked += 1
        return self.payments.get(payment_id)

    def take(self, amount_cents: int, currency: str = "EUR", state: PaymentState = PaymentState.COMPLETED) -> str:
        """Take a payment and return its reference."""
        reference = f"till-{next(_numbers)}"
        self.payments[reference] = Payment(id=reference, amount_cents=amount_cents, currency=currency, state=state)
        return reference


class Shop(Struct, frozen=True, kw_only=True, eq=False):
    """One tenant's event on sale and everything it takes to buy from it."""

    parts: Parts
    clock: ManualClock
    till: Till
    tenant: TenantId
    event: EventId
    standing: TicketTypeId
    seated: TicketTypeId

    @property
    def context(self) -> Context:
        """What the use cases are handed."""
        return self.parts.context

    def buyer(self, email: str | None = None) -> User:
        """Return somebody new."""
        return User(tenant=self.tenant, user=UserId(uuid4()), role=Role.CUSTOMER, email=email)

    async def reserve(self, buyer: User, quantity: int, *, key: str | None = None) -> Reserved:
        """Hold standing places."""
        answer = await reserve(self.context, buyer, key or fresh_key(), self.order((self.standing, quantity)))
        return msgspec.json.decode(answer.body, type=Reserved)

    def order(self, *lines: tuple[TicketTypeId, int]) -> ReserveRequest:
        """Return the request for some places."""
        wishes = [WishedLine(ticket_type_id=kind, quantity=quantity) for kind, quantity in lines]
        return ReserveRequest(event_id=self.event, tickets=wishes)

    async def pay(self, buyer: User, held: Reserved, *, payment: str | None = None, key: str | None = None) -> Answer:
        """Pay what is held, in full unless another payment is given; an empty one is none."""
        reference = self.till.take(held.total_cents) if payment is None else payment
        request = PurchaseRequest(reservation_id=held.reservation_id, payment_id=reference or None)
        return await purchase(self.context, self.till, buyer, key or fresh_key(), request)

    async def buy(self, buyer: User, quantity: int = 1) -> list[TicketId]:
        """Reserve and pay; return the tickets."""
        answer = await self.pay(buyer, await self.reserve(buyer, quantity))
        return [one.ticket_id for one in msgspec.json.decode(answer.body, type=Purchased).tickets]

    async def stock(self, ticket_type: TicketTypeId | None = None) -> TicketTypeRow:
        """Return the counters of a ticket type, standing unless named."""
        async with self.context.db.tenant(self.tenant) as tx:
            row = await tx.stock.get(ticket_type or self.standing)
        assert row is not None
        return row

    async def ticket(self, ticket: TicketId) -> TicketRow:
        """Return a ticket as stored."""
        async with self.context.db.tenant(self.tenant) as tx:
            row = await tx.tickets.get(ticket)
        assert row is not None
        return row

    async def event_row(self) -> EventRow:
        """Return the event as stored."""
        async with self.context.db.tenant(self.tenant) as tx:
            row = await tx.events.get(self.event)
        assert row is not None
        return row

    async def reader(self) -> CodeReader:
        """Return a verifier with the event's keys, as a gate holds them."""
        async with self.context.db.tenant(self.tenant) as tx:
            event = await tx.events.get(self.event)
            assert event is not None
            epochs = await self.context.vault.epochs(tx, event, 0, 3)
        return CodeReader([epoch.for_reading() for epoch in epochs])

    async def queued(self) -> list[FeedEntry]:
        """Return what the gates are told, relayed or waiting, in order."""
        async with self.parts.database.worker() as unit:
            rows = await unit._connection.fetch(TOLD)
        return [msgspec.msgpack.decode(row["body"], type=FeedEntry) for row in rows]


def fresh_key() -> str:
    """Return an idempotency key nobody has used."""
    return uuid4().hex


def plan_for(database: Databases, clock: ManualClock) -> ServerPlan:
    """Return what a server on a test's database is opened with."""
    return ServerPlan(
        app_dsn=database.app_dsn,
        worker_dsn=database.worker_dsn,
        jwt_secret=JWT_SECRET,
        ring=RING,
        payments=Payments.DEMO,
        clock=clock,
        random_bytes=os.urandom,
    )


@asynccontextmanager
async def open_shop(parts: Parts, clock: ManualClock) -> AsyncIterator[Shop]:
    """Put an event on sale: 50 standing places at 45.00, 10 seats at 80.00."""
    tenant, event = TenantId(uuid4()), EventId(uuid4())
    publication = publication_for(tenant, event)
    assert await publish_event(parts.context, publication)
    standing, seated = (offered.id for offered in publication.types)
    yield Shop(parts=parts, clock=clock, till=Till(), tenant=tenant, event=event, standing=standing, seated=seated)


def publication_for(tenant: TenantId, event: EventId) -> Publication:
    """Return the event every test starts from."""
    standing = OfferedType(
        id=TicketTypeId(uuid4()), product=1, name="Standing", price_cents=4500, currency="EUR", total=50
    )
    return Publication(
        tenant=tenant,
        tenant_name="Harbour Nights",
        venue=VenueId(uuid4()),
        venue_name="Pier Hall",
        event=event,
        name="Opening",
        policy=Policy(version=1, window=Window(doors=DOORS, starts=STARTS, ends=ENDS)),
        sale_starts=NOON - timedelta(days=30),
        sale_ends=ENDS,
        types=(
            standing,
            replace(standing, id=TicketTypeId(uuid4()), product=2, name="Seat", price_cents=8000, total=10),
        ),
    )


@asynccontextmanager
async def open_shop_on(database: Databases, clock: ManualClock) -> AsyncIterator[Shop]:
    """Open the parts of a server on a test's database, and a shop in it."""
    async with open_parts(plan_for(database, clock)) as parts, open_shop(parts, clock) as shop:
        yield shop
