"""What an event sells, over HTTP: ticket types, zones and seats."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, read_body, read_id, read_page, read_query, reply, reply_once
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.domain.names import NameUnusable
from server.services import seat_care, seats, stock_care
from server.services.context import Context
from server.services.event_views import OrganiserType
from server.services.problems import EventUnknown, TicketTypeUnknown
from server.services.problems_attendee import SeatUnknown
from server.services.problems_organiser import (
    EventStateWrong,
    NotSeated,
    SeatExists,
    SeatNotFree,
    StockTaken,
    TooManyTypes,
    TypeInUse,
    VersionStale,
    ZoneTaken,
    ZoneUnknown,
)
from shared.ids import EventId, TicketId, TicketTypeId
from shared.problems import TicketTokenError

_EVENT = "/api/v1/events/{event}"


class ZoneList(Struct, frozen=True, kw_only=True):
    """The zones of an event that have names."""

    items: list[stock_care.ZoneView]


class SeatList(Struct, frozen=True, kw_only=True):
    """A page of seats."""

    items: list[seats.SeatView]
    pagination: Pagination


class SeatQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """Which seats."""

    ticket_type_id: TicketTypeId | None = None


class StockApi:
    """What organisers call to say what an event sells."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [*self._types(), *self._zones(), *self._seats()]

    def _types(self) -> list[Route]:
        going = (EventUnknown, EventStateWrong, NameUnusable)
        add = _manage(
            "POST", _EVENT + "/ticket-types", self.add_type, "Add a ticket type", *going, StockTaken, TooManyTypes
        )
        refusals = (TicketTypeUnknown, EventStateWrong, VersionStale, StockTaken, TypeInUse, NameUnusable)
        change = _manage("PATCH", "/api/v1/ticket-types/{type}", self.change_type, "Change a ticket type", *refusals)
        return [
            replace(add, body=stock_care.TypeRequest, answer=OrganiserType, status=201, keyed=True),
            replace(change, body=stock_care.TypeChanges, answer=OrganiserType),
        ]

    def _zones(self) -> list[Route]:
        going = (EventUnknown, EventStateWrong, NameUnusable, ZoneTaken)
        add = _manage("POST", _EVENT + "/zones", self.add_zone, "Name a zone", *going)
        rename = _manage("PATCH", _EVENT + "/zones/{n}", self.rename_zone, "Rename a zone", *going, ZoneUnknown)
        listing = _manage("GET", _EVENT + "/zones", self.list_zones, "An event's zones", EventUnknown)
        return [
            replace(add, body=stock_care.ZoneRequest, answer=stock_care.ZoneView, status=201),
            replace(rename, body=stock_care.ZoneChanges, answer=stock_care.ZoneView),
            replace(listing, scope=Scope.EVENTS_READ, answer=ZoneList),
        ]

    def _seats(self) -> list[Route]:
        refusals = (EventUnknown, EventStateWrong, TicketTypeUnknown, NotSeated, SeatExists, NameUnusable)
        add = _manage("POST", _EVENT + "/seats", self.add_seats, "Add seats", *refusals)
        listing = _manage("GET", _EVENT + "/seats", self.list_seats, "An event's seats", EventUnknown)
        there = (EventUnknown, EventStateWrong, SeatUnknown, SeatNotFree)
        rename = _manage(
            "PATCH", _EVENT + "/seats/{seat}", self.rename_seat, "Rename a seat", *there, SeatExists, NameUnusable
        )
        withdraw = _manage("DELETE", _EVENT + "/seats/{seat}", self.withdraw_seat, "Withdraw a seat", *there)
        return [
            replace(rename, body=seat_care.SeatChanges, answer=seats.SeatView),
            replace(withdraw, answer=seat_care.SeatWithdrawn),
            replace(add, body=seats.SeatsRequest, answer=seats.SeatsAdded, status=201, keyed=True),
            replace(listing, scope=Scope.EVENTS_READ, query=SeatQuery, answer=SeatList),
        ]

    async def add_type(self, request: web.Request) -> web.Response:
        """Add a ticket type; its places can be bought at once if the event is open."""
        body = await read_body(request, stock_care.TypeRequest)
        return reply_once(await stock_care.add_type(self._context, request[USER], _key(request), _event(request), body))

    async def change_type(self, request: web.Request) -> web.Response:
        """Change what is given, if the type still has the version the caller has read."""
        body = await read_body(request, stock_care.TypeChanges)
        ticket_type = TicketTypeId(read_id(request, "type"))
        return reply(await stock_care.change_type(self._context, request[USER], ticket_type, body))

    async def add_zone(self, request: web.Request) -> web.Response:
        """Give one of the sixteen zones of an event a name."""
        body = await read_body(request, stock_care.ZoneRequest)
        return reply(await stock_care.add_zone(self._context, request[USER], _event(request), body), status=201)

    async def rename_zone(self, request: web.Request) -> web.Response:
        """Give a zone another name."""
        body = await read_body(request, stock_care.ZoneChanges)
        bit = _bit(request.match_info["n"])
        return reply(await stock_care.rename_zone(self._context, request[USER], _event(request), bit, body))

    async def list_zones(self, request: web.Request) -> web.Response:
        """Answer with the names of an event's zones."""
        return reply(ZoneList(items=await stock_care.list_zones(self._context, request[USER], _event(request))))

    async def add_seats(self, request: web.Request) -> web.Response:
        """Add up to a hundred seats, all or none."""
        body = await read_body(request, seats.SeatsRequest)
        return reply_once(await seats.create_seats(self._context, request[USER], _key(request), _event(request), body))

    async def rename_seat(self, request: web.Request) -> web.Response:
        """Give a seat that nobody has another label."""
        body = await read_body(request, seat_care.SeatChanges)
        seat = TicketId(read_id(request, "seat"))
        return reply(await seat_care.rename_seat(self._context, request[USER], _event(request), seat, body))

    async def withdraw_seat(self, request: web.Request) -> web.Response:
        """Take a seat that nobody has out of the sale for good."""
        seat = TicketId(read_id(request, "seat"))
        return reply(await seat_care.withdraw_seat(self._context, request[USER], _event(request), seat))

    async def list_seats(self, request: web.Request) -> web.Response:
        """Answer with a page of seats, and by which id each free one is reserved."""
        query = read_query(request, SeatQuery)
        page = read_page(request)
        found = await seats.list_seats(self._context, request[USER], _event(request), query.ticket_type_id, page)
        return reply(SeatList(items=found.items, pagination=paginate(page.limit, found.next_after)))


def _manage(method: str, path: str, handler: Handler, summary: str, *raises: type[TicketTokenError]) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.EVENTS_MANAGE,
        summary=summary,
        raises=raises,
    )


def _key(request: web.Request) -> str | None:
    return request.headers.get("Idempotency-Key")


def _event(request: web.Request) -> EventId:
    return EventId(read_id(request, "event"))


def _bit(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 2 or int(text) > 15:
        raise ZoneUnknown("The event has no zone at this bit: bits count from 0 to 15.")
    return int(text)
