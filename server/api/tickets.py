"""Events, buying, tickets, codes and transfers over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.exchange import parse_id, read_body, read_id, read_page, reply, reply_once, write_cursor
from server.api.print_sheet import PDF, draw_sheet
from server.api.problems import NotAcceptable, RequestInvalid
from server.api.qr import PNG, SVG, choose_media_type, draw
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.domain.tries import TryCounter
from server.services import listing, paper, show_code, transfer
from server.services.codes import CodeMint
from server.services.context import Context
from server.services.payments import PaymentProvider
from server.services.problems_gates import TooManyTries
from server.services.purchase import Purchased, PurchaseRequest, purchase
from server.services.reserve import Reserved, ReserveRequest, reserve
from shared.ids import EventId, TicketId, TransferId

_KEY = "Idempotency-Key"
CODES_PER_MINUTE = 60
_NO_STORE = {"Cache-Control": "no-store"}


class Pagination(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the next page is; ``next_cursor`` is None on the last one."""

    limit: int
    has_more: bool
    next_cursor: str | None


class EventList(Struct, frozen=True, kw_only=True):
    """A page of events."""

    items: list[listing.EventView]
    pagination: Pagination


class TicketList(Struct, frozen=True, kw_only=True):
    """A page of tickets."""

    items: list[listing.TicketView]
    pagination: Pagination


class TicketTypeList(Struct, frozen=True, kw_only=True):
    """What an event sells."""

    items: list[listing.TicketTypeView]


class TicketApi:
    """What attendees call."""

    def __init__(
        self, context: Context, mint: CodeMint, payments: PaymentProvider, print_font: Path | None = None
    ) -> None:
        self._context = context
        self._mint = mint
        self._payments = payments
        self._print_font = print_font
        self._asked = TryCounter(CODES_PER_MINUTE)

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            _read("/api/v1/events", self.list_events, "Published events", EventList),
            _read("/api/v1/events/{event}", self.read_event, "One event", listing.EventView),
            _read("/api/v1/events/{event}/ticket-types", self.list_types, "What an event sells", TicketTypeList),
            _own("GET", "/api/v1/tickets", self.list_tickets, "The caller's tickets", TicketList),
            _own("GET", "/api/v1/tickets/{ticket}", self.read_ticket, "One ticket", listing.TicketView),
            _own("GET", "/api/v1/tickets/{ticket}/qr", self.show_code, "The code of this moment", show_code.ShownCode),
            _own("GET", "/api/v1/tickets/{ticket}/print", self.print_ticket, "The ticket on paper, as PDF", bytes),
            _own("GET", "/api/v1/tickets/{ticket}/wallet", self.fill_wallet, "All a phone needs", show_code.Wallet),
            replace(
                _own("POST", "/api/v1/tickets/reserve", self.reserve, "Hold places", Reserved),
                body=ReserveRequest,
                status=201,
            ),
            replace(
                _own("POST", "/api/v1/tickets/purchase", self.purchase, "Buy what is held", Purchased),
                body=PurchaseRequest,
            ),
            replace(
                _own("POST", "/api/v1/tickets/{ticket}/transfer", self.offer_ticket, "Offer it", transfer.Offered),
                body=transfer.TransferRequest,
                status=201,
            ),
            _own("POST", "/api/v1/transfers/{transfer}/accept", self.accept_ticket, "Take it", transfer.Accepted),
        ]

    async def list_events(self, request: web.Request) -> web.Response:
        """Answer with a page of events."""
        page = read_page(request)
        found = await listing.list_events(self._context, request[USER], page)
        return reply(EventList(items=found.items, pagination=_paginate(page.limit, found)))

    async def read_event(self, request: web.Request) -> web.Response:
        """Answer with one event."""
        return reply(await listing.read_event(self._context, request[USER], EventId(read_id(request, "event"))))

    async def list_types(self, request: web.Request) -> web.Response:
        """Answer with an event's ticket types."""
        event = EventId(read_id(request, "event"))
        return reply(TicketTypeList(items=await listing.list_ticket_types(self._context, request[USER], event)))

    async def list_tickets(self, request: web.Request) -> web.Response:
        """Answer with a page of the caller's tickets."""
        page = read_page(request)
        found = await listing.list_tickets(self._context, request[USER], _read_event_filter(request), page)
        return reply(TicketList(items=found.items, pagination=_paginate(page.limit, found)))

    async def read_ticket(self, request: web.Request) -> web.Response:
        """Answer with one ticket."""
        return reply(await listing.read_ticket(self._context, request[USER], TicketId(read_id(request, "ticket"))))

    async def reserve(self, request: web.Request) -> web.Response:
        """Hold places."""
        body = await read_body(request, ReserveRequest)
        return reply_once(await reserve(self._context, request[USER], request.headers.get(_KEY), body))

    async def purchase(self, request: web.Request) -> web.Response:
        """Buy."""
        body = await read_body(request, PurchaseRequest)
        return reply_once(await purchase(self._context, self._payments, request[USER], request.headers.get(_KEY), body))

    async def show_code(self, request: web.Request) -> web.Response:
        """Answer with the code as JSON, SVG or PNG; ``?profile=static`` asks for the one on paper."""
        media_type = choose_media_type(request.headers.get("Accept", ""))
        if media_type is None:
            raise NotAcceptable(f"A code comes as application/json, {SVG} or {PNG}.")
        ticket, profile = TicketId(read_id(request, "ticket")), _read_profile(request)
        self._count(request, ticket)
        shown: show_code.ShownCode | paper.PaperCode
        if profile is paper.CodeProfile.STATIC:
            shown = await paper.show_paper_code(self._context, request[USER], ticket)
        else:
            shown = await show_code.show_code(self._context, self._mint, request[USER], ticket)
        if media_type not in {SVG, PNG}:
            return reply(shown, headers=_NO_STORE)
        picture = await asyncio.to_thread(draw, shown.qr_data, media_type)
        headers = _NO_STORE | {"X-Expires-At": shown.expires_at.isoformat()}
        return web.Response(body=picture, content_type=media_type, headers=headers)

    async def print_ticket(self, request: web.Request) -> web.Response:
        """Answer with the ticket as a sheet to print."""
        ticket = TicketId(read_id(request, "ticket"))
        self._count(request, ticket)
        sheet = await paper.fill_sheet(self._context, request[USER], ticket)
        body = await asyncio.to_thread(draw_sheet, sheet, self._print_font)
        name = f'inline; filename="ticket-{str(ticket)[-12:]}.pdf"'
        headers = _NO_STORE | {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type=PDF, headers=headers)

    async def fill_wallet(self, request: web.Request) -> web.Response:
        """Answer with all a phone needs."""
        ticket = TicketId(read_id(request, "ticket"))
        self._count(request, ticket)
        wallet = await show_code.fill_wallet(self._context, self._mint, request[USER], ticket)
        return reply(wallet, headers=_NO_STORE)

    def _count(self, request: web.Request, ticket: TicketId) -> None:
        # The caller is part of the name: nobody can use up what the owner may ask.
        wait_s = self._asked.take(f"{request[USER].user} {ticket}", self._context.clock.monotonic())
        if wait_s is not None:
            raise TooManyTries(f"This ticket was asked for too often: try again in {wait_s:.0f} s.", wait_s)

    async def offer_ticket(self, request: web.Request) -> web.Response:
        """Offer a ticket to an address."""
        body = await read_body(request, transfer.TransferRequest)
        ticket = TicketId(read_id(request, "ticket"))
        key = request.headers.get(_KEY)
        return reply_once(await transfer.offer_ticket(self._context, request[USER], key, ticket, body))

    async def accept_ticket(self, request: web.Request) -> web.Response:
        """Take an offered ticket."""
        offer = TransferId(read_id(request, "transfer"))
        return reply(await transfer.accept_ticket(self._context, request[USER], offer))


def _own(method: str, path: str, handler: Handler, summary: str, answer: type) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.TICKETS_OWN,
        summary=summary,
        answer=answer,
    )


def _read(path: str, handler: Handler, summary: str, answer: type) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.EVENTS_READ,
        summary=summary,
        answer=answer,
    )


def _paginate(limit: int, found: listing.Listed[listing.EventView] | listing.Listed[listing.TicketView]) -> Pagination:
    return Pagination(limit=limit, has_more=found.next_after is not None, next_cursor=write_cursor(found.next_after))


def _read_profile(request: web.Request) -> paper.CodeProfile:
    try:
        return paper.CodeProfile(request.query.get("profile", paper.CodeProfile.LIVE))
    except ValueError as exc:
        raise RequestInvalid("`profile` is live or static.") from exc


def _read_event_filter(request: web.Request) -> EventId | None:
    text = request.query.get("eventId")
    if text is None:
        return None
    found = parse_id(text)
    if found is None:
        raise RequestInvalid("`eventId` is not an id.")
    return EventId(found)
