"""The tour's venue seen from outside: its organisers and attendees, each with a token of their own, all over REST."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from msgspec import Struct

from server.demo.box_office import BoxOffice, Buyer, Json
from server.demo.phones import Phone
from shared.problems import Internal

MintToken = Callable[[UUID, UUID, str, str], str]
"""Makes a user's token from tenant, user, role and e-mail."""


class Show(Struct, frozen=True, kw_only=True):
    """One organiser's event: how many places each ticket type has."""

    tenant: UUID
    event: UUID
    stock: dict[UUID, int]


class Venue:
    """Two organisers under one roof; the story is the first one's, the second must see nothing of it."""

    def __init__(self, office: BoxOffice, mint_token: MintToken, show: Show, other: Show) -> None:
        self.show = show
        self.other = other
        self.places = sum(show.stock.values()) - 1  # one place is kept back for the act after the cut
        self._office = office
        self._mint_token = mint_token
        self._owned: list[tuple[Buyer, str]] = []

    async def wish_assets(self) -> None:
        """Have each ticket of the event get an asset on the chain."""
        token, event = self._organiser(self.show.tenant), f"/api/v1/events/{self.show.event}"
        known = await self._office.call("GET", f"/api/v1/organiser/events/{self.show.event}", token)
        await self._office.call("PATCH", event, token, {"version": known["version"], "nft": "mirror"})

    async def sell_out(self, sold: Callable[[int], None]) -> None:
        """Sell every place but one."""
        stock = dict(self.show.stock)
        first = next(iter(stock))
        stock[first] -= 1
        self._owned = await self._office.sell_out(
            lambda: self._new_buyer(self.show.tenant), self.show.event, stock, sold
        )

    async def sell_one_more(self) -> Phone:
        """Sell the place that was kept back."""
        buyer = self._new_buyer(self.show.tenant)
        (ticket,) = await self._office.buy(buyer, self.show.event, next(iter(self.show.stock)), 1)
        return await self._office.fetch_wallet(buyer, ticket)

    async def fetch_phones(self, count: int) -> list[Phone]:
        """Return phones with valid tickets, each a different one on every call."""
        if len(self._owned) < count:
            raise Internal("The tour sold fewer tickets than it needs.")
        return [await self._office.fetch_wallet(*self._owned.pop()) for _ in range(count)]

    async def pass_on_ticket(self) -> tuple[Phone, Phone]:
        """Transfer a ticket; return the sender's phone as it was, and the recipient's."""
        sender, ticket = self._owned.pop()
        before = await self._office.fetch_wallet(sender, ticket)
        recipient = self._new_buyer(self.show.tenant)
        await self._office.transfer(sender, ticket, recipient)
        return before, await self._office.fetch_wallet(recipient, ticket)

    async def fetch_strangers_phone(self) -> Phone:
        """Return a phone with a ticket of the other organiser's event."""
        stranger = self._new_buyer(self.other.tenant)
        (ticket,) = await self._office.buy(stranger, self.other.event, next(iter(self.other.stock)), 1)
        return await self._office.fetch_wallet(stranger, ticket)

    async def enrolment_code(self, gate: str) -> str:
        """Return a one-time code for a new gate of the event."""
        return await self._office.enrolment_code(self._organiser(self.show.tenant), self.show.event, gate)

    async def read(self, what: str) -> Json:
        """Return ``stats``, ``scans``, ``conflicts`` or ``nfts`` of the event as its organiser sees them."""
        return await self._office.call(
            "GET", f"/api/v1/events/{self.show.event}/{what}", self._organiser(self.show.tenant)
        )

    async def try_as_other_organiser(self, ticket: str) -> list[str]:
        """Return what the other organiser can reach of this event's data: it must be nothing."""
        token = self._organiser(self.other.tenant)
        event = f"/api/v1/events/{self.show.event}"
        reads = ("", "/ticket-types", "/stats", "/scans", "/conflicts")
        paths = (*(event + read for read in reads), f"/api/v1/tickets/{ticket}")
        reached = [path for path in paths if (await self._office.ask("GET", path, token))[0] != 404]
        listed = await self._office.call("GET", "/api/v1/events", token)
        return reached + (["the list of events"] if str(self.show.event) in str(listed) else [])

    def _new_buyer(self, tenant: UUID) -> Buyer:
        user = uuid4()
        email = f"guest-{user.hex[:12]}@example.org"
        return Buyer(user=user, email=email, token=self._mint_token(tenant, user, "customer", email))

    def _organiser(self, tenant: UUID) -> str:
        return self._mint_token(tenant, uuid4(), "venue_manager", "organiser@example.org")
