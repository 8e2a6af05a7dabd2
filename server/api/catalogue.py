"""What is on sale, over HTTP."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, read_id, read_page, reply
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.services import availability, listing
from server.services.context import Context
from server.services.problems import EventUnknown
from shared.ids import EventId

# Answers are for whoever asked: a cache between us and many people must not keep them.
_EVENTS = {"Cache-Control": "private, max-age=30"}
_STOCK = {"Cache-Control": "private, max-age=2"}


class EventList(Struct, frozen=True, kw_only=True):
    """A page of events."""

    items: list[listing.EventView]
    pagination: Pagination


class TicketTypeList(Struct, frozen=True, kw_only=True):
    """What an event sells."""

    items: list[availability.TicketTypeView]


class CatalogueApi:
    """What people look at before they buy."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        one = (EventUnknown,)
        return [
            replace(_read("/api/v1/events", self.list_events, "Published events", EventList), query=PageQuery),
            replace(_read("/api/v1/events/{event}", self.read_event, "One event", listing.EventView), raises=one),
            replace(
                _read("/api/v1/events/{event}/ticket-types", self.list_types, "What an event sells", TicketTypeList),
                raises=one,
            ),
        ]

    async def list_events(self, request: web.Request) -> web.Response:
        """Answer with a page of events."""
        page = read_page(request)
        found = await listing.list_events(self._context, request[USER], page)
        body = EventList(items=found.items, pagination=paginate(page.limit, found.next_after))
        return reply(body, headers=_EVENTS)

    async def read_event(self, request: web.Request) -> web.Response:
        """Answer with one event."""
        found = await listing.read_event(self._context, request[USER], EventId(read_id(request, "event")))
        return reply(found, headers=_EVENTS)

    async def list_types(self, request: web.Request) -> web.Response:
        """Answer with an event's ticket types and how much of each is left."""
        event = EventId(read_id(request, "event"))
        found = await availability.list_ticket_types(self._context, request[USER], event)
        return reply(TicketTypeList(items=found), headers=_STOCK)


def _read(path: str, handler: Handler, summary: str, answer: type) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.SCANNER,
        scope=Scope.EVENTS_READ,
        summary=summary,
        answer=answer,
    )
