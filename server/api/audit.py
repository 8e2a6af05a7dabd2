"""What was done, by whom and by which way, over HTTP: a page at a time, or all of it as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import fields

from server.api.exchange import PageQuery, read_page, read_query, reply
from server.api.exports import MEDIA, Form, stream
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.sheet import write_rows
from server.services.audit import list_deeds
from server.services.audit_views import DeedView, read_all, view_deed
from server.services.context import Context
from server.services.rows_staff import AuditRow
from shared.ids import EventId

_TIMEOUT_S = 600.0


class AuditQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """Only what is about one event, if one is named; and where the list goes on."""

    event_id: EventId | None = None


class AuditFileQuery(Struct, frozen=True, kw_only=True, rename="camel"):
    """Only what is about one event, if one is named; and in which form."""

    event_id: EventId | None = None
    format: Form = Form.CSV


class DeedList(Struct, frozen=True, kw_only=True):
    """A page of what was done."""

    items: list[DeedView]
    pagination: Pagination


_HEAD = tuple(one.encode_name for one in fields(DeedView))


class AuditApi:
    """What organisers ask about themselves."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="GET",
                path="/api/v1/audit",
                handler=self.read,
                auth=Auth.USER,
                scope=Scope.EVENTS_MANAGE,
                summary="What was done, by whom and by which way",
                query=AuditQuery,
                answer=DeedList,
            ),
            Route(
                method="GET",
                path="/api/v1/audit/export",
                handler=self.send,
                auth=Auth.USER,
                scope=Scope.EVENTS_MANAGE,
                summary="What was done as a file",
                query=AuditFileQuery,
                answer=list[DeedView],
                media=("application/json", "text/csv"),
                timeout_s=_TIMEOUT_S,
            ),
        ]

    async def read(self, request: web.Request) -> web.Response:
        """Answer with a page, the newest first."""
        event = read_query(request, AuditQuery).event_id
        page = read_page(request)
        listed = await list_deeds(self._context, request[USER].tenant, event, page)
        items = [view_deed(row) for row in listed.items]
        return reply(DeedList(items=items, pagination=paginate(page.limit, listed.next_after)))

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Send all of it, the newest first; a file that is cut short ends without its end, so that nobody takes it for whole."""
        query = read_query(request, AuditFileQuery)
        headers = {
            "Content-Type": MEDIA[query.format],
            "Content-Disposition": f'attachment; filename="audit.{query.format}"',
            "Cache-Control": "private, no-store",
        }
        portions = read_all(self._context, request[USER].tenant, query.event_id)
        return await stream(request, headers, _write(query.format, portions))


async def _write(form: Form, portions: AsyncIterator[Sequence[AuditRow]]) -> AsyncIterator[bytes]:
    begun = False
    async for rows in portions:
        views = [view_deed(row) for row in rows]
        if form is Form.CSV:
            cells = [tuple(getattr(one, name) for name in DeedView.__struct_fields__) for one in views]
            yield write_rows(cells if begun else [_HEAD, *cells])
        else:
            yield (b",\n" if begun else b"[") + b",\n".join(msgspec.json.encode(one) for one in views)
        begun = True
    if form is Form.JSON:
        yield b"]\n"
