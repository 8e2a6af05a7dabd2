"""An organiser's tickets over HTTP: looking at them, taking one back, locking it, making its code anew."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, read_body, read_id, read_page, read_query, reply, reply_once
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope, User
from server.domain.names import NameUnusable
from server.services import ticket_care
from server.services.context import Context
from server.services.idempotency import name_call, run_once
from server.services.problems import EventUnknown, TicketChanged, TicketUnknown
from server.services.rows import ActorRef
from server.services.rows_organiser import TicketFilter
from server.services.ticket_desk import OrganiserTicket, TicketSummary, list_tickets, read_ticket
from shared.ids import EventId, TicketId, TicketTypeId, UserId
from shared.problems import TicketTokenError
from shared.tickets.lifecycle import Actor, State, TransitionDenied, TransitionInvalid

_TICKET = "/api/v1/tickets/{ticket}"


class TicketQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """Which tickets of an event."""

    status: State | None = None
    ticket_type_id: TicketTypeId | None = None
    owner_id: UserId | None = None
    locked: bool | None = None
    external_id: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\u0000-\u001F]*$")] | None = None


class TicketSummaryList(Struct, frozen=True, kw_only=True):
    """A page of tickets."""

    items: list[TicketSummary]
    pagination: Pagination


class TicketCareApi:
    """What organisers call about single tickets."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        listing = _route("GET", "/api/v1/events/{event}/tickets", self.list, "An event's tickets", EventUnknown)
        one = _route(
            "GET", "/api/v1/organiser/tickets/{ticket}", self.read, "One ticket with its history", TicketUnknown
        )
        revoke = self._change("/revoke", self.revoke, "Take a ticket back", ticket_care.RevokeRequest)
        lock = self._change("/lock", self.lock, "Lock a ticket", ticket_care.LockRequest)
        unlock = self._change("/unlock", self.unlock, "Unlock a ticket", ticket_care.UnlockRequest)
        reissue = self._change("/reissue", self.reissue, "Make a ticket's code anew", ticket_care.ReissueRequest)
        locks = (*lock.raises, ticket_care.TicketLocked)
        return [
            replace(listing, query=TicketQuery, answer=TicketSummaryList),
            replace(one, answer=OrganiserTicket),
            revoke,
            replace(lock, raises=locks),
            replace(unlock, raises=(*locks, NameUnusable)),
            replace(reissue, keyed=True, raises=(*reissue.raises, NameUnusable)),
        ]

    def _change(self, path: str, handler: Handler, summary: str, body: type) -> Route:
        raises = (TicketUnknown, TransitionInvalid, TransitionDenied, TicketChanged)
        route = _route("POST", _TICKET + path, handler, summary, *raises)
        return replace(route, scope=Scope.TICKETS_MANAGE, body=body, answer=OrganiserTicket)

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of an event's tickets, newest first."""
        query = read_query(request, TicketQuery)
        wanted = TicketFilter(
            state=query.status,
            ticket_type=query.ticket_type_id,
            owner=query.owner_id,
            locked=query.locked,
            external_id=query.external_id,
        )
        page = read_page(request)
        event = EventId(read_id(request, "event"))
        found = await list_tickets(self._context, request[USER], event, wanted, page)
        return reply(TicketSummaryList(items=found.items, pagination=paginate(page.limit, found.next_after)))

    async def read(self, request: web.Request) -> web.Response:
        """Answer with a ticket and everything that happened to it, actors included."""
        return reply(await read_ticket(self._context, request[USER].tenant, _ticket(request)))

    async def revoke(self, request: web.Request) -> web.Response:
        """Take a ticket back for good, and tell the gates at once."""
        body = await read_body(request, ticket_care.RevokeRequest)
        by = _caretaker(request[USER])
        ticket = _ticket(request)
        return reply(await ticket_care.revoke(self._context, by, ticket, body.reason, refund=body.refund))

    async def lock(self, request: web.Request) -> web.Response:
        """Keep a ticket from letting anybody in until it is unlocked."""
        body = await read_body(request, ticket_care.LockRequest)
        by = _caretaker(request[USER])
        return reply(await ticket_care.lock(self._context, by, _ticket(request), body.reason))

    async def unlock(self, request: web.Request) -> web.Response:
        """Let a locked ticket be used again."""
        body = await read_body(request, ticket_care.UnlockRequest)
        by = _caretaker(request[USER])
        return reply(await ticket_care.unlock(self._context, by, _ticket(request), body.reason))

    async def reissue(self, request: web.Request) -> web.Response:
        """Make every code of a ticket so far worthless; its owner's phone fetches the new one."""
        body = await read_body(request, ticket_care.ReissueRequest)
        user, ticket = request[USER], _ticket(request)
        call = name_call(user, f"reissue/{ticket}", request.headers.get("Idempotency-Key"), body)
        by = _caretaker(user)
        answer = await run_once(
            self._context.db, call, 200, lambda tx: ticket_care.reissue_in(self._context, tx, by, ticket, body)
        )
        return reply_once(answer)


def _route(method: str, path: str, handler: Handler, summary: str, *raises: type[TicketTokenError]) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.TICKETS_READ,
        summary=summary,
        raises=raises,
    )


def _ticket(request: web.Request) -> TicketId:
    return TicketId(read_id(request, "ticket"))


def _caretaker(user: User) -> ticket_care.Caretaker:
    actor = ActorRef(kind=Actor.ORGANISER, id=str(user.user))
    return ticket_care.Caretaker(tenant=user.tenant, actor=actor, source=ticket_care.API_SOURCE)
