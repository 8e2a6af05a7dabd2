"""The caller's tickets, what happened to them, and giving one back, over HTTP."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, read_id, read_page, read_query, reply, reply_once, write_cursor
from server.api.problems import RequestInvalid
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.services import holdings, page_marks, refund
from server.services.context import Context
from server.services.problems import TicketUnknown
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import State

_KEY = "Idempotency-Key"
_OWN = {"Cache-Control": "private, no-store"}
_LAST_VERSION = 2**31 - 1


class TicketQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """Which tickets, and where the list goes on: after a cursor, or at a page of ``limit`` tickets by its number."""

    page: Annotated[int, Meta(ge=1, le=page_marks.LAST_PAGE)] | None = None
    event_id: EventId | None = None
    status: State | None = None


class HistoryQuery(Struct, frozen=True, kw_only=True):
    """How many steps, and those to versions below which."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    before: Annotated[int, Meta(ge=1, le=_LAST_VERSION)] = _LAST_VERSION


class TicketPages(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the next page is; ``page`` is this one's number where it was asked for by one."""

    limit: int
    page: int | None
    has_more: bool
    next_cursor: str | None


class TicketList(Struct, frozen=True, kw_only=True):
    """A page of tickets."""

    items: list[holdings.TicketView]
    pagination: TicketPages


class TicketHistory(Struct, frozen=True, kw_only=True, rename="camel"):
    """The latest steps of a ticket's life, the first of them first; ask again ``before`` its version for earlier ones."""

    items: list[holdings.StepView]
    has_more: bool


class HoldingApi:
    """What holders of tickets call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        absent = (TicketUnknown,)
        life = replace(_own("GET", "/{ticket}/history", self.read_history, TicketHistory), query=HistoryQuery)
        back = replace(_own("POST", "/{ticket}/refund", self.refund, refund.Refunded), keyed=True)
        return [
            replace(_own("GET", "", self.list, TicketList), summary="The caller's tickets", query=TicketQuery),
            replace(_own("GET", "/{ticket}", self.read, holdings.TicketView), summary="One ticket", raises=absent),
            replace(life, summary="What happened to it", raises=absent),
            replace(back, summary="Give it back", raises=(*absent, *refund.REFUND_PROBLEMS)),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of the caller's tickets, newest first."""
        query, place = read_query(request, TicketQuery), read_page(request)
        if query.page is not None and query.cursor is not None:
            raise RequestInvalid("Send either `page` or `cursor`.")
        wish = page_marks.Wish(
            event=query.event_id, state=query.status, after=place.after, page=query.page or 1, limit=place.limit
        )
        found = await holdings.list_tickets(self._context, request[USER], wish)
        pages = TicketPages(
            limit=place.limit,
            page=query.page,
            has_more=found.next_after is not None,
            next_cursor=write_cursor(found.next_after),
        )
        return reply(TicketList(items=found.items, pagination=pages), headers=_OWN)

    async def read(self, request: web.Request) -> web.Response:
        """Answer with one ticket."""
        found = await holdings.read_ticket(self._context, request[USER], _ticket(request))
        return reply(found, headers=_OWN)

    async def read_history(self, request: web.Request) -> web.Response:
        """Answer with what happened to a ticket: states, times, and what kind of party it was."""
        query = read_query(request, HistoryQuery)
        life = await holdings.read_life(
            self._context, request[USER], _ticket(request), before=query.before, limit=query.limit
        )
        return reply(TicketHistory(items=life.steps, has_more=life.earlier), headers=_OWN)

    async def refund(self, request: web.Request) -> web.Response:
        """Give an unused ticket back; the money is asked to go back the way it came."""
        key = request.headers.get(_KEY)
        return reply_once(await refund.refund_ticket(self._context, request[USER], key, _ticket(request)))


def _ticket(request: web.Request) -> TicketId:
    return TicketId(read_id(request, "ticket"))


def _own(method: str, path: str, handler: Handler, answer: type) -> Route:
    return Route(
        method=method,
        path=f"/api/v1/tickets{path}",
        handler=handler,
        auth=Auth.USER,
        scope=Scope.TICKETS_OWN,
        answer=answer,
    )
