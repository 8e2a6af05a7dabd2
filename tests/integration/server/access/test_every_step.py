"""Every step of the state table is taken by calls from outside, and no step that is not in it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import Role, User
from server.domain.limits import LimitClass
from server.domain.nft import NftMode
from server.services.rows import ActorRef
from server.services.transition import Move, move_ticket
from server.settings_access import AccessPlan
from shared.clock import ManualClock
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import TRANSITIONS, Actor, State
from tests.conftest import Databases
from tests.integration.server.access.stage import Door, open_door
from tests.integration.server.schema.connections import connected, in_database
from tests.integration.server.selling.client import Json
from tests.integration.server.selling.stage import NOON, fresh_key

STEPS = "SELECT DISTINCT from_state, to_state FROM ticket_history WHERE from_state IS NOT NULL"
UNLIMITED = AccessPlan(quotas=dict.fromkeys(LimitClass))
PATIENCE_S = 60


class Walker(Struct, frozen=True, kw_only=True, eq=False):
    """An organiser with an event of its own, and the people who want in."""

    door: Door
    event: EventId
    standing: str
    stalls: str
    boss: User

    async def call(self, method: str, path: str, user: User | None = None, body: object = None) -> Json:
        """Make a call that must succeed."""
        caller = user or self.boss
        reply = await self.door.served.call(method, path, caller, body, Idempotency_Key=fresh_key())
        assert reply.status < 300, (method, path, reply.status, reply.body)
        return reply.json if reply.body else {}

    async def own(self, path: str) -> Json:
        """Return something of the event's."""
        return await self.call("GET", f"/api/v1/events/{self.event}{path}")

    async def seats(self) -> list[str]:
        """Return the ids of the seats that are free."""
        found = await self.own(f"/seats?ticketTypeId={self.stalls}&limit=100")
        return [str(one["seatId"]) for one in msgspec.convert(found["items"], list[Json]) if one["free"]]

    async def hold(self, user: User, **wish: object) -> Json:
        """Reserve."""
        return await self.call("POST", "/api/v1/tickets/reserve", user, {"eventId": str(self.event), **wish})

    async def buy(self, user: User, **wish: object) -> list[str]:
        """Reserve and pay; without a wish one standing place."""
        held = await self.hold(user, **(wish or {"tickets": [{"ticketTypeId": self.standing, "quantity": 1}]}))
        paid = {"reservationId": held["reservationId"], "paymentId": f"demo_{held['totalCents']}_EUR_{fresh_key()}"}
        bought = await self.call("POST", "/api/v1/tickets/purchase", user, paid)
        return [str(one["ticketId"]) for one in msgspec.convert(bought["tickets"], list[Json])]

    async def give(self, ticket: str, giver: User, taker: User) -> None:
        """Hand a ticket over."""
        offer = await self.call(
            "POST", f"/api/v1/tickets/{ticket}/transfer", giver, {"recipientEmail": str(taker.email)}
        )
        await self.call("POST", f"/api/v1/transfers/{offer['transferId']}/accept", taker)

    async def revoke(self, ticket: str) -> None:
        """Take a ticket back."""
        await self.call("POST", f"/api/v1/tickets/{ticket}/revoke", body={"reason": "admin_request"})

    async def refund(self, ticket: str, user: User) -> None:
        """Give a ticket back."""
        await self.call("POST", f"/api/v1/tickets/{ticket}/refund", user)

    async def pass_door(self, ticket: str, user: User, direction: str) -> None:
        """Show the ticket at the door."""
        shown = await self.call("GET", f"/api/v1/tickets/{ticket}/qr", user)
        body = {"code": shown["qrData"], "direction": direction}
        said = await self.call("POST", f"/api/v1/tickets/{ticket}/checkin", self.door.staff(), body)
        assert said["admitted"], said

    async def end(self, how: str, body: Json) -> None:
        """End the event and wait until every ticket had its turn."""
        await self.call("POST", f"/api/v1/events/{self.event}/{how}", body=body)
        async with asyncio.timeout(PATIENCE_S):
            while (await self.own("/ending"))["state"] != "done":
                pass

    async def mint(self, ticket: str, *states: State) -> None:
        """Do what the mint worker does once the chain has a ticket's asset."""
        context = self.door.served.shop.context
        by = ActorRef(kind=Actor.SYSTEM, id="mint")
        async with context.db.tenant(self.door.tenant) as tx:
            row = await tx.tickets.lock(TicketId(UUID(ticket)))
            assert row is not None
            for state in states:
                row = await move_ticket(
                    tx, context.vault, row, Move(to=state, actor=by, source="mint", now=context.clock.now())
                )


async def open_walker(door: Door, nft: NftMode = NftMode.OFF) -> Walker:
    """Put an event on sale whose guests may go out and come back, with standing places and seats."""
    boss = door.staff(Role.ADMIN)
    event = await door.other_event()
    walker = Walker(door=door, event=event, standing="", stalls="", boss=boss)
    path = f"/api/v1/events/{event}"
    known = await walker.call("GET", f"/api/v1/organiser/events/{event}")
    rules = {"version": known["version"], "exits": True, "reEntries": 3}
    changed = await walker.call("PATCH", f"{path}/policy", body=rules)
    early = {"deadlineS": 0}
    free = {"version": changed["version"], "refundRules": early, "transferRules": early | {"cooldownS": 0}, "nft": nft}
    await walker.call("PATCH", path, body=free)
    stalls = {"name": "Stalls", "priceCents": 100, "currency": "EUR", "seated": True}
    made = await walker.call("POST", f"{path}/ticket-types", body=stalls)
    labels = {"ticketTypeId": made["id"], "labels": [f"A {number}" for number in range(6)]}
    await walker.call("POST", f"{path}/seats", body=labels)
    types = msgspec.convert((await walker.own("/ticket-types"))["items"], list[Json])
    standing = next(str(one["id"]) for one in types if one["name"] == "Standing")
    return replace(walker, standing=standing, stalls=str(made["id"]))


async def evening(door: Door, clock: ManualClock) -> None:
    """Play an event from its first seat to its close."""
    at = await open_walker(door)
    ada, bob = door.served.shop.buyer("ada@example.org"), door.served.shop.buyer("bob@example.org")
    seats = await at.seats()
    held = await at.hold(ada, seats=seats[:1])
    await at.call("DELETE", f"/api/v1/reservations/{held['reservationId']}", ada)
    await at.buy(ada, seats=seats[:1])
    await at.call("DELETE", f"/api/v1/events/{at.event}/seats/{seats[1]}")
    tickets = [ticket for _ in range(9) for ticket in await at.buy(ada)]
    for ticket in tickets[:5]:
        await at.give(ticket, ada, bob)
    await at.give(tickets[0], bob, ada)
    await at.refund(tickets[1], bob)
    await at.revoke(tickets[2])
    await at.refund(tickets[5], ada)
    await at.revoke(tickets[6])
    await at.hold(bob, seats=seats[2:3])
    clock.advance(timedelta(hours=7, minutes=30))  # the doors are open
    for ticket, user in ((tickets[3], bob), (tickets[7], ada)):
        await at.pass_door(ticket, user, "entry")
        clock.advance(timedelta(minutes=1))
        await at.pass_door(ticket, user, "exit")
    for ticket in (tickets[8], *await at.buy(ada)):
        await at.pass_door(ticket, ada, "entry")
    await at.revoke(tickets[8])
    await at.buy(ada)
    await at.hold(ada, seats=seats[3:4])
    await at.end("close", {"force": True, "reason": "storm"})


async def called_off(door: Door) -> None:
    """Sell some of an event and call it off."""
    at = await open_walker(door)
    ada, bob = door.served.shop.buyer("ada@example.org"), door.served.shop.buyer("bob@example.org")
    await at.buy(ada)
    (given,) = await at.buy(ada)
    await at.give(given, ada, bob)
    await at.hold(ada, seats=(await at.seats())[:1])
    await at.end("cancel", {"reason": "storm"})


async def minted(door: Door) -> None:
    """Sell an event whose tickets wait for the chain, and call it off."""
    at = await open_walker(door, NftMode.WAIT_FOR_MINT)
    ada = door.served.shop.buyer("ada@example.org")
    tickets = [ticket for _ in range(7) for ticket in await at.buy(ada)]
    await at.mint(tickets[0], State.MINTED, State.ACTIVE)
    await at.refund(tickets[1], ada)
    await at.revoke(tickets[2])
    for ticket in tickets[3:6]:
        await at.mint(ticket, State.MINTED)
    await at.refund(tickets[3], ada)
    await at.revoke(tickets[4])
    await at.end("cancel", {"reason": "storm"})


async def test_every_step_of_the_table_is_taken_by_its_endpoint(database: Databases, postgres: str) -> None:
    clock = ManualClock(NOON)
    async with open_door(database, clock, UNLIMITED) as door:
        await minted(door)
        await called_off(door)
        await evening(door, clock)
    async with connected(in_database(postgres, database.owner_dsn)) as superuser:
        taken = {(State(row[0]), State(row[1])) for row in await superuser.fetch(STEPS)}
    assert taken == {(source, target) for source, targets in TRANSITIONS.items() for target in targets}
