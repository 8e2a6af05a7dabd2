"""A crowd that wants more places than there are, spread over several servers."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import aiohttp
from msgspec import Struct

from server.auth.user_token import UserTokens
from server.domain.access import Role, User
from server.parts import ServerPlan, open_parts
from server.services.publish import OfferedType, Publication, publish_event
from shared.admission.policy import Policy, Window
from shared.ids import EventId, TenantId, TicketTypeId, UserId, VenueId

_LINES = 16
"""Connections of the crowd to each server."""

_PATIENCE = 10


class Offer(Struct, frozen=True, kw_only=True):
    """What is on sale: one event with a few ticket types."""

    tenant: TenantId
    event: EventId
    types: tuple[TicketTypeId, ...]


class Crowd(Struct, frozen=True, kw_only=True, eq=False):
    """People who buy; ``wants`` says which types each of them asks for, one place each."""

    tokens: UserTokens
    offer: Offer
    wants: Sequence[Sequence[TicketTypeId]]

    async def rush(self, servers: Sequence[str]) -> tuple[Counter[str], list[str]]:
        """Have everybody try at once; return how it ended for how many, and the ids of the tickets they were given."""
        ends: Counter[str] = Counter()
        tickets: list[str] = []
        queue = iter(enumerate(self.wants))

        async def stand_in_line(session: aiohttp.ClientSession) -> None:
            for number, wanted in queue:
                end, given = await self._buy(session, wanted, twice=number % 10 == 0)
                ends[end] += 1
                tickets.extend(given)

        sessions = [aiohttp.ClientSession(one) for one in servers]
        try:
            async with asyncio.TaskGroup() as group:
                for session in sessions * _LINES:
                    group.create_task(stand_in_line(session))
        finally:
            for session in sessions:
                await session.close()
        return ends, tickets

    async def _buy(
        self, session: aiohttp.ClientSession, wanted: Sequence[TicketTypeId], *, twice: bool
    ) -> tuple[str, list[str]]:
        """Return how it ended for one person, and their tickets."""
        token = self.tokens.make(User(tenant=self.offer.tenant, user=UserId(uuid4()), role=Role.CUSTOMER))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": os.urandom(16).hex()}
        lines = [{"ticketTypeId": str(one), "quantity": 1} for one in wanted]
        wish = {"eventId": str(self.offer.event), "tickets": lines}
        status, held = await post(session, "/api/v1/tickets/reserve", wish, headers)
        if status != 201:
            return str(held["code"]), []
        paid = {
            "reservationId": held["reservationId"],
            "paymentId": f"demo_{held['totalCents']}_{held['currency']}_{os.urandom(8).hex()}",
        }
        tries = [post(session, "/api/v1/tickets/purchase", paid, headers) for _ in range(2 if twice else 1)]
        answers = await asyncio.gather(*tries)
        bought = [answer for status, answer in answers if status == 200]
        others = {str(answer["code"]) for status, answer in answers if status != 200}
        if others - {"idempotency_in_progress"} or not bought or any(answer != bought[0] for answer in bought):
            return f"purchase went wrong: {answers}", []
        return "bought", [str(one["ticketId"]) for one in bought[0]["tickets"]]


async def post(
    session: aiohttp.ClientSession, path: str, body: object, headers: dict[str, str]
) -> tuple[int, dict[str, list[dict[str, object]]]]:
    """Return status and answer; where the server has no time it is asked again under the same key, as it says one may."""
    status, answer = 503, {}
    for _ in range(_PATIENCE):
        async with session.post(path, json=body, headers=headers) as response:
            status, answer = response.status, await response.json(content_type=None)
        if status != 503:
            break
    return status, answer


async def put_on_sale(plan: ServerPlan, places: Sequence[int]) -> Offer:
    """Publish an event with a ticket type for each number of places."""
    now = datetime.now(UTC)
    opening = now + timedelta(days=3)
    types = tuple(
        OfferedType(
            id=TicketTypeId(uuid4()),
            product=number,
            name=f"Block {number}",
            price_cents=4500,
            currency="EUR",
            total=total,
        )
        for number, total in enumerate(places, start=1)
    )
    publication = Publication(
        tenant=TenantId(uuid4()),
        tenant_name="Harbour Nights",
        venue=VenueId(UUID(int=1)),
        venue_name="Pier Hall",
        event=EventId(uuid4()),
        name="Opening",
        policy=Policy(
            version=1,
            window=Window(doors=opening, starts=opening + timedelta(hours=1), ends=opening + timedelta(hours=8)),
        ),
        sale_starts=now - timedelta(days=1),
        sale_ends=opening,
        types=types,
    )
    async with open_parts(plan) as parts:
        assert await publish_event(parts.context, publication)
    return Offer(tenant=publication.tenant, event=publication.event, types=tuple(one.id for one in types))
