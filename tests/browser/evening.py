"""An evening at a venue for the operations page: a real server, gates of paper whose logs are as real ones sign them."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace
from playwright.async_api import Page, expect

from server.app import Running, run_server
from server.auth.passwords import ArgonPasswords
from server.domain.access import Role, User
from server.listening import bind
from server.parts import Parts, ServerPlan
from server.services.enrol import Enrolment
from server.services.publish import OfferedType, Publication, publish_event
from server.services.rows import TicketRow
from server.services.rows_organiser import ZoneRow
from server.services.staff import Registry, StaffWish, add_staff
from server.services.transition import Move, issue_tickets
from shared.admission.policy import Policy, Window
from shared.admission.verdict import Reason
from shared.clock import ManualClock, SystemClock, unix_ms
from shared.codes.keys import KeyRing, derive_handle, hash_handle
from shared.ids import EventId, ScanId, TenantId, TicketId, TicketTypeId, UserId, VenueId
from shared.settings import Secret
from shared.sync.hlc import tick
from shared.sync.scan import Mode, ScanRecord
from shared.sync.wire import Ping
from shared.tickets.lifecycle import State
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import SYSTEM, Stage

PASSWORD = "four words nobody knows"
HOSTILE = "<img src=x onerror=alert(1)> \u202eevil\u202c 🎟️" + " and so on" * 46
_BATCH = 150
_REFUSALS = (
    Reason.CODE_STALE,
    Reason.CODE_STALE,
    Reason.CODE_STALE,
    Reason.ALREADY_USED,
    Reason.ALREADY_USED,
    Reason.WRONG_ZONE,
    Reason.CODE_UNREADABLE,
    Reason.TRANSFERRED_OR_REISSUED,
)


class LivingClock(ManualClock):
    """The machine's time for what otherwise moves a clock by hand."""

    def now(self) -> datetime:
        """Return the machine's wall time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic counter."""
        return SystemClock().monotonic()


class Evening(Struct, frozen=True, kw_only=True, eq=False):
    """The server, its event, and the names one may sign in with: ``sam`` may do all, ``dana`` only look."""

    running: Running
    stage: Stage
    types: tuple[OfferedType, ...]

    @property
    def parts(self) -> Parts:
        """Return the server's parts."""
        return self.running.parts

    @property
    def page(self) -> str:
        """Return the address of the event's page."""
        return f"{self.running.base_url}/ops/events/{self.stage.event}"

    def organiser(self) -> dict[str, str]:
        """Return the headers of somebody who may do everything over the API."""
        user = User(tenant=self.stage.tenant, user=UserId(uuid4()), role=Role.ADMIN)
        return {"Authorization": f"Bearer {self.parts.tokens.make(user)}"}

    async def sell(self, counts: Sequence[int], name: str = "Guest") -> list[TicketRow]:
        """Make so many tickets of each type."""
        made = [
            self._ticket(kind, f"{name} {number + 1}", f"{kind.name[0]}{number + 1}")
            for kind, count in zip(self.types, counts, strict=True)
            for number in range(count)
        ]
        return await self.issue(made)

    async def issue(self, made: Sequence[TicketRow]) -> list[TicketRow]:
        """Make tickets that are good to go in."""
        move = Move(to=State.ACTIVE, actor=SYSTEM, source="test", now=self.stage.clock.now())
        async with self.stage.db.tenant(self.stage.tenant) as tx:
            kinds = await tx.stock.of_event(self.stage.event)
            return await issue_tickets(tx, self.stage.vault, list(made), kinds, move)

    def _ticket(self, kind: OfferedType, name: str, seat: str) -> TicketRow:
        return TicketRow(
            tenant=self.stage.tenant,
            id=TicketId(uuid4()),
            event=self.stage.event,
            ticket_type=kind.id,
            order=None,
            owner=UserId(uuid4()),
            holder_name=name,
            seat=seat,
            state=State.SOLD,
            generation=0,
            version=1,
            locked=None,
            valid_from=None,
            valid_until=None,
        )

    async def sell_hostile(self) -> TicketRow:
        """Make a ticket whose holder has the worst of names."""
        (ticket,) = await self.issue([self._ticket(self.types[0], HOSTILE[:500], "Z 9")])
        return ticket

    async def beat(self, gate: PaperGate, *, ago: timedelta = timedelta(), backlog: int = 0, rate: float = 0.0) -> None:
        """Have a gate say how it is."""
        now = self.stage.clock.now() - ago
        async with self.stage.db.tenant(self.stage.tenant) as tx:
            head = await tx.feed.head(self.stage.event)
            ping = Ping(sent_ms=unix_ms(now), backlog=backlog, feed_seq=head, bundle_version=99, scans_per_minute=rate)
            await tx.gates.beat(gate.id, ping, now)

    async def hashes(self, tickets: Sequence[TicketRow]) -> dict[TicketId, bytes]:
        """Return by which hashes gates know tickets."""
        async with self.stage.db.tenant(self.stage.tenant) as tx:
            masters = await self.stage.vault.masters(tx)
        return {one.id: hash_handle(derive_handle(masters.of(one.master), one.id, one.generation)) for one in tickets}

    async def let_in(
        self, gates: Sequence[PaperGate], tickets: Sequence[TicketRow], moments: Sequence[datetime]
    ) -> None:
        """Let people in, spread over the gates, with a refusal now and then, and hand the logs over."""
        chance = random.Random(7)  # noqa: S311 - a crowd, not a secret
        hashes = await self.hashes(tickets)
        for number, (ticket, moment) in enumerate(zip(tickets, moments, strict=True)):
            gate = chance.choices(gates, weights=range(len(gates) + 1, 1, -1))[0]
            write_scan(gate, hashes[ticket.id], moment)
            if number % 17 == 5:
                write_scan(gate, hashes[ticket.id], moment, admitted=False, reason=chance.choice(_REFUSALS))
        for gate in gates:
            await hand_over_all(gate)


def write_scan(gate: PaperGate, handle_hash: bytes, at: datetime, **changes: object) -> None:
    """Write down that a ticket was seen, without the proof that takes a phone."""
    gate._hlc = tick(gate._hlc, unix_ms(at))
    record = ScanRecord(
        scan=ScanId(uuid4()),
        gate_seq=len(gate.bodies) + 1,
        hlc=gate._hlc,
        at_ms=unix_ms(at),
        unsure_ms=50,
        event=gate.place.event,
        handle_hash=handle_hash,
        code_hash=os.urandom(8),
        direction=gate.row.direction,
        admitted=True,
        reason=Reason.OK,
        mode=Mode.ONLINE,
        feed_seq=0,
        policy_version=1,
    )
    gate.write(replace(record, **changes))


async def hand_over_all(gate: PaperGate, first: int = 1) -> None:
    """Hand a log over in batches."""
    for begin in range(first, len(gate.bodies) + 1, _BATCH):
        await gate.hand_over(begin, min(begin + _BATCH - 1, len(gate.bodies)))


def bell(count: int, now: datetime, spread: timedelta, peak: timedelta) -> list[datetime]:
    """Return moments at which people came, up to now, thickest around ``peak`` from now."""
    chance = random.Random(11)  # noqa: S311 - a crowd, not a secret
    found: list[datetime] = []
    while len(found) < count:
        moment = now + peak + spread * chance.gauss(0, 1)
        if now - timedelta(minutes=80) < moment < now - timedelta(seconds=5):
            found.append(moment)
    return sorted(found)


def plan_for(app_dsn: str, worker_dsn: str, clock: ManualClock) -> ServerPlan:
    """Return what a server for an evening is opened with."""
    return ServerPlan(
        app_dsn=app_dsn,
        worker_dsn=worker_dsn,
        jwt_secret=Secret("0123456789abcdef" * 4),
        ring=KeyRing({"k1": bytes(range(32))}),
        clock=clock,
    )


@asynccontextmanager
async def open_evening(
    app_dsn: str, worker_dsn: str, *, name: str = "Harbour Nights Opening"
) -> AsyncIterator[Evening]:
    """Serve an event whose doors opened eighty minutes ago and which begins in forty."""
    clock = LivingClock(datetime.now(UTC))
    with bind("127.0.0.1", 0) as listener:
        async with run_server(plan_for(app_dsn, worker_dsn, clock), listener) as running:
            yield await _set_up(running, clock, name)


def _publication(now: datetime, name: str) -> Publication:
    types = tuple(
        OfferedType(
            id=TicketTypeId(uuid4()), product=n, name=kind, price_cents=4500, currency="EUR", total=0, zones=zones
        )
        for n, (kind, zones) in enumerate((("Standing", 1), ("Balcony", 2), ("Lounge", 7)), start=1)
    )
    window = Window(
        doors=now - timedelta(minutes=80), starts=now + timedelta(minutes=40), ends=now + timedelta(hours=5)
    )
    return Publication(
        tenant=TenantId(uuid4()),
        tenant_name="Harbour Nights",
        venue=VenueId(uuid4()),
        venue_name="Pier Hall",
        event=EventId(uuid4()),
        name=name,
        policy=Policy(version=1, window=window, capacity=1000, exits=True, re_entries=None),
        sale_starts=now - timedelta(days=30),
        sale_ends=window.ends,
        types=types,
    )


async def _set_up(running: Running, clock: ManualClock, name: str) -> Evening:
    parts, publication = running.parts, _publication(clock.now(), name)
    tenant, event, types = publication.tenant, publication.event, publication.types
    assert await publish_event(parts.context, publication)
    registry = Registry(context=parts.context, passwords=ArgonPasswords(), tenant=tenant)
    for login, person, role in (("sam", "Sam Okafor", Role.ADMIN), ("dana", "Dana Ruiz", Role.DOOR_STAFF)):
        await add_staff(registry, StaffWish(login=login, name=person, role=role, password=PASSWORD))
    async with parts.database.tenant(tenant) as tx:
        for bit, zone in enumerate(("Floor", "Balcony", "Lounge")):
            await tx.organising.add_zone(event, ZoneRow(bit=bit, name=zone))
    stage = Stage(
        db=parts.database,
        vault=parts.context.vault,
        clock=clock,
        tenant=tenant,
        event=event,
        ticket_type=types[0].id,
        enrolment=Enrolment(parts.database, parts.context.vault, os.urandom),
    )
    return Evening(running=running, stage=stage, types=types)


async def sign_in(page: Page, evening: Evening) -> None:
    """Go to the event's page by way of the sign-in, with the keyboard alone."""
    await page.goto(evening.page)
    await expect(page.get_by_label("Name")).to_be_focused()
    await page.keyboard.type("sam")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(evening.page)
