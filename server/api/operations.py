"""What organisers watch: figures, scans and conflicts, over HTTP."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, read_body, read_id, read_page, reply, write_cursor
from server.api.pages import Pagination
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.services import conflict_care, stats
from server.services.context import Context
from server.services.listing import Listed
from server.services.problems import EventUnknown
from server.services.problems_gates import ConflictSettled, ConflictUnknown
from shared.ids import ConflictId, EventId


class ScanList(Struct, frozen=True, kw_only=True):
    """A page of scans."""

    items: list[stats.ScanView]
    pagination: Pagination


class ConflictList(Struct, frozen=True, kw_only=True):
    """A page of conflicts."""

    items: list[stats.ConflictView]
    pagination: Pagination


class ResolveRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a conflict turned out to be."""

    resolution: conflict_care.Resolution
    note: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S")] | None = None


class OperationsApi:
    """What organisers call while the doors are open."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            _read("/api/v1/events/{event}/stats", self.read_figures, "An event's figures", stats.EventFigures),
            _pages("/api/v1/events/{event}/scans", self.list_scans, "An event's scans", ScanList),
            _pages("/api/v1/events/{event}/conflicts", self.list_conflicts, "Admissions too many", ConflictList),
            *self._single_routes(),
        ]

    def _single_routes(self) -> list[Route]:
        one = _read("/api/v1/conflicts/{conflict}", self.read_conflict, "One admission too many", stats.ConflictView)
        one = replace(one, auth=Auth.USER, raises=(ConflictUnknown,))
        change = replace(one, method="POST", scope=Scope.CONFLICTS_RESOLVE, raises=(ConflictUnknown, ConflictSettled))
        return [
            one,
            replace(
                change,
                path=f"{one.path}/acknowledge",
                handler=self.acknowledge,
                summary="Say that a conflict is being looked into",
            ),
            replace(
                change,
                path=f"{one.path}/resolve",
                handler=self.resolve,
                summary="Say what a conflict was",
                body=ResolveRequest,
            ),
        ]

    async def read_conflict(self, request: web.Request) -> web.Response:
        """Answer with a conflict."""
        return reply(await conflict_care.read_conflict(self._context, request[USER].tenant, _conflict(request)))

    async def acknowledge(self, request: web.Request) -> web.Response:
        """Have a conflict as being looked into."""
        return reply(await conflict_care.acknowledge(self._context, _decider(request), _conflict(request)))

    async def resolve(self, request: web.Request) -> web.Response:
        """Settle a conflict."""
        body = await read_body(request, ResolveRequest)
        finding = conflict_care.Finding(resolution=body.resolution, note=body.note)
        return reply(await conflict_care.resolve(self._context, _decider(request), _conflict(request), finding))

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


def _conflict(request: web.Request) -> ConflictId:
    return ConflictId(read_id(request, "conflict"))


def _decider(request: web.Request) -> conflict_care.Decider:
    user = request[USER]
    return conflict_care.Decider(tenant=user.tenant, name=str(user.user))


def _event(request: web.Request) -> EventId:
    return EventId(read_id(request, "event"))


def _read(path: str, handler: Handler, summary: str, answer: type) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.SCANNER,
        scope=Scope.SCANS_READ,
        summary=summary,
        answer=answer,
        raises=(EventUnknown,),
    )


def _pages(path: str, handler: Handler, summary: str, answer: type) -> Route:
    return replace(_read(path, handler, summary, answer), query=PageQuery)


def _paginate(limit: int, found: Listed[stats.ScanView] | Listed[stats.ConflictView]) -> Pagination:
    return Pagination(limit=limit, has_more=found.next_after is not None, next_cursor=write_cursor(found.next_after))
