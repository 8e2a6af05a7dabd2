"""What organisers watch: figures, scans and conflicts, over HTTP."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from server.api.exchange import read_id, read_page, reply, write_cursor
from server.api.routes import USER, Auth, Handler, Route
from server.api.tickets import Pagination
from server.domain.access import Scope
from server.services import stats
from server.services.context import Context
from server.services.listing import Listed
from shared.ids import EventId


class ScanList(Struct, frozen=True, kw_only=True):
    """A page of scans."""

    items: list[stats.ScanView]
    pagination: Pagination


class ConflictList(Struct, frozen=True, kw_only=True):
    """A page of conflicts."""

    items: list[stats.ConflictView]
    pagination: Pagination


class OperationsApi:
    """What organisers call while the doors are open."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            _read("/api/v1/events/{event}/stats", self.read_figures, "An event's figures", stats.EventFigures),
            _read("/api/v1/events/{event}/scans", self.list_scans, "An event's scans", ScanList),
            _read("/api/v1/events/{event}/conflicts", self.list_conflicts, "Admissions too many", ConflictList),
        ]

    async def read_figures(self, request: web.Request) -> web.Response:
        """Answer with the figures."""
        return reply(await stats.read_figures(self._context, request[USER], _event(request)))

    async def list_scans(self, request: web.Request) -> web.Response:
        """Answer with a page of scans."""
        page = read_page(request)
        found = await stats.list_scans(self._context, request[USER], _event(request), page)
        return reply(ScanList(items=found.items, pagination=_paginate(page.limit, found)))

    async def list_conflicts(self, request: web.Request) -> web.Response:
        """Answer with a page of conflicts."""
        page = read_page(request)
        found = await stats.list_conflicts(self._context, request[USER], _event(request), page)
        return reply(ConflictList(items=found.items, pagination=_paginate(page.limit, found)))


def _event(request: web.Request) -> EventId:
    return EventId(read_id(request, "event"))


def _read(path: str, handler: Handler, summary: str, answer: type) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.SCANS_READ,
        summary=summary,
        answer=answer,
    )


def _paginate(limit: int, found: Listed[stats.ScanView] | Listed[stats.ConflictView]) -> Pagination:
    return Pagination(limit=limit, has_more=found.next_after is not None, next_cursor=write_cursor(found.next_after))
