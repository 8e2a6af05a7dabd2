"""An organiser's events over HTTP: making, changing, opening and ending them."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, read_body, read_id, read_page, reply, reply_once
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.domain.names import NameUnusable
from server.services import endings, events, refunds_due
from server.services.context import Context
from server.services.ended import EndedTicket, list_ended
from server.services.event_requests import EventChanges, EventRequest, PolicyChanges
from server.services.event_views import OrganiserEvent
from server.services.problems import EventUnknown
from server.services.problems_organiser import (
    EndingUnknown,
    EventNotOver,
    EventNotReady,
    EventStateWrong,
    ImportRunning,
    ScheduleInvalid,
    VersionStale,
)
from server.services.rows import ActorRef
from server.services.rows_organiser import EndingKind
from shared.ids import EventId
from shared.problems import TicketTokenError
from shared.tickets.lifecycle import Actor

_EVENT = "/api/v1/events/{event}"


class OrganiserEventList(Struct, frozen=True, kw_only=True):
    """A page of events."""

    items: list[OrganiserEvent]
    pagination: Pagination


class RefundDueList(Struct, frozen=True, kw_only=True):
    """A page of what is to be paid back."""

    items: list[refunds_due.RefundDue]
    pagination: Pagination


class EndedTicketList(Struct, frozen=True, kw_only=True):
    """A page of tickets that ended with their event."""

    items: list[EndedTicket]
    pagination: Pagination


class EventApi:
    """What organisers call to shape an event's life."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [*self._shaping(), *self._reading(), *self._ending()]

    def _shaping(self) -> list[Route]:
        create = _manage(
            "POST", "/api/v1/events", self.create, "Make an event as a draft", NameUnusable, ScheduleInvalid
        )
        changing = (EventUnknown, EventStateWrong, VersionStale, ScheduleInvalid)
        change = _manage("PATCH", _EVENT, self.change, "Change an event", *changing, NameUnusable)
        policy = _manage("PATCH", _EVENT + "/policy", self.change_policy, "Change the rules of entry", *changing)
        opening = (EventUnknown, EventStateWrong, EventNotReady)
        return [
            replace(create, body=EventRequest, answer=OrganiserEvent, status=201, keyed=True),
            replace(change, body=EventChanges, answer=OrganiserEvent),
            replace(policy, body=PolicyChanges, answer=OrganiserEvent),
            replace(
                _manage("POST", _EVENT + "/open", self.open, "Put a draft on sale", *opening), answer=OrganiserEvent
            ),
        ]

    def _reading(self) -> list[Route]:
        listing = _manage("GET", "/api/v1/organiser/events", self.list, "All events, drafts among them")
        one = _manage("GET", "/api/v1/organiser/events/{event}", self.read, "One event with its stock", EventUnknown)
        ending = _manage("GET", _EVENT + "/ending", self.read_ending, "How far an event's end is", EndingUnknown)
        ended = _manage("GET", _EVENT + "/ending/tickets", self.list_ended, "What became of each ticket", EndingUnknown)
        refunds = _manage("GET", _EVENT + "/refunds-due", self.list_refunds, "What an event owes", EventUnknown)
        all_refunds = _manage("GET", "/api/v1/refunds-due", self.list_all_refunds, "What is owed in all")
        return [
            replace(listing, query=PageQuery, answer=OrganiserEventList),
            replace(one, answer=OrganiserEvent),
            replace(ending, answer=endings.EndingView),
            replace(ended, query=PageQuery, answer=EndedTicketList),
            replace(refunds, query=PageQuery, answer=RefundDueList),
            replace(all_refunds, query=PageQuery, answer=RefundDueList),
        ]

    def _ending(self) -> list[Route]:
        refusals = (EventUnknown, EventStateWrong, ImportRunning, NameUnusable)
        close = _manage("POST", _EVENT + "/close", self.close, "End an event that is over", *refusals, EventNotOver)
        cancel = _manage("POST", _EVENT + "/cancel", self.cancel, "Call an event off", *refusals)
        return [
            replace(close, body=endings.CloseRequest, answer=endings.EndingView, status=202),
            replace(cancel, body=endings.CancelRequest, answer=endings.EndingView, status=202),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Make a draft; nobody but its organisers sees it until it is opened."""
        body = await read_body(request, EventRequest)
        key = request.headers.get("Idempotency-Key")
        return reply_once(await events.create_event(self._context, request[USER], key, body))

    async def change(self, request: web.Request) -> web.Response:
        """Change what is given, if the event still has the version the caller has read."""
        body = await read_body(request, EventChanges)
        return reply(await events.change_event(self._context, request[USER], _event(request), body))

    async def change_policy(self, request: web.Request) -> web.Response:
        """Change what is given, and tell the gates at once."""
        body = await read_body(request, PolicyChanges)
        return reply(await events.change_policy(self._context, request[USER], _event(request), body))

    async def open(self, request: web.Request) -> web.Response:
        """Publish a draft that sells something."""
        return reply(await events.open_event(self._context, request[USER], _event(request)))

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of events in any state."""
        page = read_page(request)
        found = await events.list_events(self._context, request[USER], page)
        return reply(OrganiserEventList(items=found.items, pagination=paginate(page.limit, found.next_after)))

    async def read(self, request: web.Request) -> web.Response:
        """Answer with an event in any state."""
        return reply(await events.read_event(self._context, request[USER], _event(request)))

    async def close(self, request: web.Request) -> web.Response:
        """Stop sales and begin to make tickets used or expired; asking again tells how far that is."""
        body = await read_body(request, endings.CloseRequest)
        order = _order(request, EndingKind.CLOSE, body.reason or "", endings.CLOSING)
        order = replace(order, force=body.force)
        return reply(await endings.begin_ending(self._context, request[USER].tenant, order), status=202)

    async def cancel(self, request: web.Request) -> web.Response:
        """Stop sales and begin to cancel every ticket; asking again tells how far that is."""
        body = await read_body(request, endings.CancelRequest)
        order = _order(request, EndingKind.CANCEL, body.reason, endings.CANCELLING)
        return reply(await endings.begin_ending(self._context, request[USER].tenant, order), status=202)

    async def read_ending(self, request: web.Request) -> web.Response:
        """Answer with what has become of the tickets so far."""
        return reply(await endings.read_ending(self._context, request[USER].tenant, _event(request)))

    async def list_ended(self, request: web.Request) -> web.Response:
        """Answer with a page of the tickets that the event's end has reached so far, and what is paid back for each."""
        page = read_page(request)
        found = await list_ended(self._context, request[USER], _event(request), page)
        return reply(EndedTicketList(items=found.items, pagination=paginate(page.limit, found.next_after)))

    async def list_refunds(self, request: web.Request) -> web.Response:
        """Answer with a page of what is to be paid back for an event, by ticket or by payment, the newest first."""
        return await self._refunds(request, _event(request))

    async def list_all_refunds(self, request: web.Request) -> web.Response:
        """Answer with the same for all events, and payments that belong to none."""
        return await self._refunds(request, None)

    async def _refunds(self, request: web.Request, event: EventId | None) -> web.Response:
        page = read_page(request)
        found = await refunds_due.list_refunds(self._context, request[USER], event, page)
        return reply(RefundDueList(items=found.items, pagination=paginate(page.limit, found.next_after)))


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


def _event(request: web.Request) -> EventId:
    return EventId(read_id(request, "event"))


def _order(request: web.Request, kind: EndingKind, reason: str, source: str) -> endings.EndingOrder:
    actor = ActorRef(kind=Actor.ORGANISER, id=str(request[USER].user))
    return endings.EndingOrder(event=_event(request), kind=kind, reason=reason, actor=actor, source=source)
