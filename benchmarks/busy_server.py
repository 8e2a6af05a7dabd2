"""A server with a big event: published, sold to the last place over REST, and fed to the gates."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
from msgspec import Struct

from benchmarks.report import tell
from server.demo.box_office import BoxOffice, Json
from server.embedded_stack import EmbeddedServer, embedded_server
from server.services.publish import OfferedType, Publication, publish_event
from server.settings import EmbeddedSettings, Payments
from shared.admission.policy import Policy, Window
from shared.ids import EventId, TenantId, TicketTypeId, VenueId

_TYPES, _OF_EACH = 10, 10
"""Lines of an order, and tickets of each line: the most the server sells at once."""

_TILLS = 4
_TELL_EVERY = 10_000
_LOOK_EVERY_S = 0.1


class Sold(Struct, frozen=True, kw_only=True, eq=False):
    """An event whose every place is sold."""

    server: EmbeddedServer
    office: BoxOffice
    tenant: TenantId
    event: EventId
    tickets: int

    async def enrolment_code(self, gate: str) -> str:
        """Return a one-time code for a gate."""
        organiser = self.server.make_token(self.tenant, uuid4(), "venue_manager", "")
        return await self.office.enrolment_code(organiser, self.event, gate)

    async def forget_snapshots(self) -> None:
        """Delete what is kept, so that the next gate's snapshot has to be built."""
        async with self.server.running.parts.context.db.tenant(self.tenant) as tx:
            await tx.feed.drop_snapshots(self.event, datetime.now(UTC) + timedelta(days=1))


@asynccontextmanager
async def sold_out_event(place: Path, tickets: int) -> AsyncIterator[Sold]:
    """Run a server and sell an event; durability is given up, since nothing here is to survive."""
    settings = EmbeddedSettings(payments=Payments.DEMO)
    async with (
        embedded_server(place, settings, unsafe_fast=True) as server,
        aiohttp.ClientSession() as session,
    ):
        publication = publication_of(tickets)
        await publish_event(server.running.parts.context, publication)
        sold = Sold(
            server=server,
            office=BoxOffice(server.base_url, session),
            tenant=publication.tenant,
            event=publication.event,
            tickets=tickets,
        )
        await _sell(sold, publication)
        await _until_fed(sold)
        yield sold


async def _sell(sold: Sold, publication: Publication) -> None:
    lines = [{"ticketTypeId": str(one.id), "quantity": _OF_EACH} for one in publication.types]
    order: Json = {"eventId": str(sold.event), "tickets": lines}
    done = itertools.count(_TYPES * _OF_EACH, _TYPES * _OF_EACH)
    orders = iter(range(sold.tickets // (_TYPES * _OF_EACH)))

    async def one_till() -> None:
        for _ in orders:
            token = sold.server.make_token(sold.tenant, uuid4(), "customer", "")
            held = await sold.office.call("POST", "/api/v1/tickets/reserve", token, order)
            payment = f"demo_{held['totalCents']}_{held['currency']}_{uuid4().hex}"
            paid: Json = {"reservationId": held["reservationId"], "paymentId": payment}
            await sold.office.call("POST", "/api/v1/tickets/purchase", token, paid)
            if (count := next(done)) % _TELL_EVERY == 0:
                tell(f"{count} of {sold.tickets} tickets sold")

    async with asyncio.TaskGroup() as tills:
        for _ in range(_TILLS):
            tills.create_task(one_till())


async def _until_fed(sold: Sold) -> None:
    """Wait until the relay has told the gates of every ticket."""
    while True:
        async with sold.server.running.parts.context.db.tenant(sold.tenant) as tx:
            if await tx.feed.head(sold.event) >= sold.tickets:
                return
        await asyncio.sleep(_LOOK_EVERY_S)


def publication_of(tickets: int) -> Publication:
    """Return an event of ten ticket types whose doors are open."""
    now = datetime.now(UTC)
    window = Window(doors=now - timedelta(hours=1), starts=now + timedelta(hours=1), ends=now + timedelta(hours=8))
    return Publication(
        tenant=TenantId(uuid4()),
        tenant_name="Benchmark",
        venue=VenueId(uuid4()),
        venue_name="Arena",
        event=EventId(uuid4()),
        name="A full house",
        policy=Policy(version=1, window=window),
        sale_starts=now - timedelta(days=1),
        sale_ends=window.ends,
        max_per_user=_TYPES * _OF_EACH,
        types=tuple(
            OfferedType(
                id=TicketTypeId(uuid4()),
                product=number,
                name=f"Block {number}",
                price_cents=4500,
                currency="EUR",
                total=tickets // _TYPES,
            )
            for number in range(1, _TYPES + 1)
        ),
    )
